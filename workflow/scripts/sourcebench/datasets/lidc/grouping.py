"""Which annotations are of the same nodule, as pylidc infers it, in a fraction of its time."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sourcebench.datasets.lidc.pylidc_mended import load_pylidc


@dataclass(frozen=True)
class _Annotation:
    """As much of pylidc's class of this name as its `cluster_annotations` looks at."""

    id: int
    points: NDArray[np.int32]  # n×3: row, column, index of the slice

    @cached_property
    def centroid(self) -> NDArray[np.float64]:
        centroid: NDArray[np.float64] = self.points.mean(axis=0)
        return centroid

    @cached_property
    def box(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        return self.points.min(axis=0), self.points.max(axis=0)

    @cached_property
    def tree(self) -> Any:
        from scipy.spatial import KDTree

        return KDTree(self.points)


def _distance_within(limit: float) -> Callable[[_Annotation, _Annotation], float]:
    """Return pylidc's metric 'min', infinite where it exceeds a limit.

    `cluster_annotations` only asks whether a distance is at most its tolerance, which begins at
    the slice thickness and shrinks.
    """

    def distance(a: _Annotation, b: _Annotation) -> float:
        (low, high), (other_low, other_high) = a.box, b.box
        gap = np.maximum(np.maximum(low - other_high, other_low - high), 0)
        if gap @ gap > limit**2:
            return float("inf")
        return float(a.tree.query(b.points)[0].min())

    return distance


def group(
    annotations: Mapping[int, NDArray[np.int32]], slice_thickness: float
) -> list[tuple[int, ...]]:
    """Group the annotations of a scan with pylidc's `Scan.cluster_annotations`.

    The method is pylidc's own, run on vertices that were read once instead of on its objects,
    which would be fetched one by one.

    Args:
        annotations: by id, in the order of the ids, the vertices of all contours: n×3, row,
            column, index of the slice in the scan, sorted by slice.
        slice_thickness: of the scan, in mm; pylidc's tolerance to begin with.

    Returns:
        The ids of each nodule's annotations, nodules in pylidc's order (from the feet upwards).
    """
    scan = SimpleNamespace(
        annotations=[_Annotation(*item) for item in annotations.items()],
        slice_thickness=slice_thickness,
    )
    cluster = load_pylidc().Scan.cluster_annotations
    groups = cluster(scan, metric=_distance_within(slice_thickness), verbose=False)
    return [tuple(annotation.id for annotation in nodule) for nodule in groups]
