"""How far the readers agree on a nodule, slice by slice."""

from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sourcebench.datasets.lidc import annotations
from sourcebench.datasets.lidc.masks import agreement

LEVELS = range(1, annotations.READERS + 1)

Drawing = tuple[list[NDArray[np.int32]], list[bool]]


def consensus_areas() -> pd.DataFrame:
    """Return on how many pixels of every slice of every nodule how many readers agree.

    Returns:
        One row per nodule and slice that any reader drew on, sorted: `scan_id, nodule` (as in
        `annotations.nodules`), `z` (mm), `area_1` … `area_4` (pixels of 512² that at least 1 … 4
        annotations hold to be nodule), `reach` (px, side of the smallest square around the slice's
        middle that holds all that was drawn); 15,796 rows.
    """
    return _consensus_areas().copy(deep=False)


@cache
def _consensus_areas() -> pd.DataFrame:
    members = annotations.nodules().explode("annotation_ids").set_index("annotation_ids")
    drawn = annotations.contours().join(members["nodule"], on="annotation_id")
    keys = ["scan_id", "nodule", "z", "annotation_id"]
    drawn = drawn.sort_values(keys, kind="stable")
    places: dict[tuple[int, int, float], dict[int, Drawing]] = {}
    for scan, nodule, z, reader, line, kept in zip(
        *(drawn[key] for key in (*keys, "points", "inclusion")), strict=True
    ):
        points, inclusion = places.setdefault((scan, nodule, z), {}).setdefault(reader, ([], []))
        points.append(line)
        inclusion.append(kept)
    rows = []
    for place, readers in places.items():
        counts, _ = agreement(readers.values())
        drawing = np.concatenate([line for lines, _ in readers.values() for line in lines])
        reach = int(np.abs(2 * drawing - 511).max()) + 1
        rows.append((*place, *(int((counts >= level).sum()) for level in LEVELS), reach))
    areas = [f"area_{level}" for level in LEVELS]
    return pd.DataFrame(rows, columns=[*keys[:3], *areas, "reach"])
