"""What the readers said of LIDC-IDRI's nodules, and which slices show them."""

import sqlite3
from contextlib import closing
from functools import cache

import numpy as np
import pandas as pd

from sourcebench.datasets.lidc import annotations
from sourcebench.datasets.lidc.consensus import consensus_areas
from sourcebench.datasets.lidc.pylidc_mended import database

TIED = "tied"

SIDES: dict[str, tuple[int, tuple[str, str]]] = {
    "malignancy": (4, ("benign", "malignant")),
    "spiculation": (3, ("low", "high")),
    "texture": (3, ("low", "high")),
    "calcification": (6, ("present", "absent")),
}
"""Characteristic → the lowest answer of its upper side, and the names of both sides.

Readers answer from 1 to 5: malignancy from highly unlikely to highly suspicious, spiculation from
none to marked, texture from ground glass by way of partly solid (3) to solid; calcification from 1
(popcorn) to 6 (absent). The borders are those of *Understanding Silent Failures* (Bungert et al.
2023), whose targets are spiculation over 2 and texture under 3."""


def opinions() -> pd.DataFrame:
    """Return what was said of each nodule, as `annotations.nodules` has them.

    Returns:
        One row per nodule, 2,651 in all, with the columns `scan_id, nodule, readers, diameter` of
        `annotations.nodules`, and for each characteristic of `SIDES` the mean of the readers'
        answers (`malignancy_mean`) and the side that most of them are on (`malignancy`: benign,
        malignant, or tied where there are as many on either).
    """
    return _opinions().copy(deep=False)


@cache
def _opinions() -> pd.DataFrame:
    said = answers()
    nodules = annotations.nodules()
    members = nodules["annotation_ids"].explode().astype(int)
    table = nodules[["scan_id", "nodule", "readers", "diameter"]].copy()
    for name, (border, (lower, upper)) in SIDES.items():
        heard = said.loc[members, name].set_axis(members.index)
        table[f"{name}_mean"] = heard.groupby(level=0).mean()
        above = (heard >= border).groupby(level=0).mean()
        table[name] = np.select([above < 0.5, above > 0.5], [lower, upper], TIED)
    return table


def answers() -> pd.DataFrame:
    """Return the readers' answers, a row per annotation."""
    query = f"SELECT id, {', '.join(SIDES)} FROM annotations ORDER BY id"
    uri = f"{database().as_uri()}?mode=ro&immutable=1"
    with closing(sqlite3.connect(uri, uri=True)) as connection:
        return pd.read_sql(query, connection, index_col="id")


def places() -> pd.DataFrame:
    """Return where each nodule is largest.

    That is the slice with the largest area on which half of its readers agree, or any of them
    where no half does; of equal ones that nearest to the nodule's middle, then the lowest.

    Returns:
        One row per nodule: `scan_id, nodule`, `k` (the slice's place in the scan, from 0 at the
        lowest z), `row, column` (px of 512², the middle of what was drawn there, rounded down) and
        `extent` (px, the longer side of the box around it).
    """
    return _places().copy(deep=False)


@cache
def _places() -> pd.DataFrame:
    nodules = annotations.nodules()
    areas = consensus_areas().merge(nodules[["scan_id", "nodule", "annotation_ids"]])
    half = ((areas["annotation_ids"].map(len) + 1) // 2).clip(upper=annotations.READERS)
    columns = [f"area_{level}" for level in range(1, annotations.READERS + 1)]
    agreed = areas[columns].to_numpy()[np.arange(len(areas)), half - 1]
    z = areas.groupby(["scan_id", "nodule"])["z"]
    middle = (z.transform("min") + z.transform("max")) / 2
    areas = areas.assign(agreed=agreed, away=(areas["z"] - middle).abs())
    largest = areas.sort_values(
        ["agreed", "area_1", "away", "z"], ascending=[False, False, True, True]
    ).drop_duplicates(["scan_id", "nodule"])
    drawn = annotations.contours()
    vertices = np.concatenate(drawn["points"].tolist())
    starts = np.cumsum([0, *map(len, drawn["points"])])[:-1]
    corners = [each.reduceat(vertices, starts) for each in (np.minimum, np.maximum)]
    boxes = pd.DataFrame(
        np.hstack(corners), columns=["top", "left", "bottom", "right"], index=drawn.index
    )
    members = nodules.explode("annotation_ids").set_index("annotation_ids")["nodule"]
    boxes = pd.concat([drawn[["scan_id", "z", "k"]], boxes], axis=1).assign(
        nodule=members.reindex(drawn["annotation_id"]).to_numpy()
    )
    keys = ["scan_id", "nodule", "z"]
    whole = boxes.groupby(keys, as_index=False).agg(
        {"k": "first", "top": "min", "left": "min", "bottom": "max", "right": "max"}
    )
    found = largest[keys].merge(whole, on=keys).sort_values(["scan_id", "nodule"])
    tall, wide = found["bottom"] - found["top"] + 1, found["right"] - found["left"] + 1
    return pd.DataFrame(
        {
            "scan_id": found["scan_id"],
            "nodule": found["nodule"],
            "k": found["k"],
            "row": (found["top"] + found["bottom"]) // 2,
            "column": (found["left"] + found["right"]) // 2,
            "extent": np.maximum(tall, wide),
        }
    ).reset_index(drop=True)


def crops(slices: int, side: int) -> pd.DataFrame:
    """Return the images of all nodules that fit: so many slices of each, around its largest.

    A nodule near the end of its scan has fewer. All images of a nodule have one centre.

    Args:
        slices: of a nodule, an odd number.
        side: px of 512²; nodules that are longer or wider are left out.

    Returns:
        One row per image: `image_id` (such as 'LIDC-IDRI-0078_0001_n02_z+1550.50'), `slice_id` (of
        `annotations.slices`), `patient_id, scan_id, series_uid, z` (mm), `row, column` (px, the
        centre), `offset` (slices from the largest, upwards), and what `opinions` says.
    """
    return _crops(slices, side).copy(deep=False)


@cache
def _crops(slices: int, side: int) -> pd.DataFrame:
    found = places()
    found = found[found["extent"] <= side].drop(columns="extent")
    offsets = np.arange(slices) - slices // 2
    table = found.merge(pd.DataFrame({"offset": offsets}), how="cross")
    table["k"] += table["offset"]
    grid = annotations.slices().rename(columns={"image_id": "slice_id"})
    grid = grid.assign(k=grid.groupby("scan_id").cumcount())
    table = table.merge(grid, on=["scan_id", "k"]).drop(columns="k")
    table = table.merge(opinions(), on=["scan_id", "nodule"])
    names = [
        f"{patient}_{scan:04d}_n{nodule:02d}_z{z:+.2f}"
        for patient, scan, nodule, z in table[["patient_id", "scan_id", "nodule", "z"]].itertuples(
            index=False
        )
    ]
    first = ["slice_id", "patient_id", "scan_id", "series_uid", "z"]
    rest = [column for column in table if column not in first]
    table = table[[*first, *rest]]
    table.insert(0, "image_id", names)
    return table.sort_values(["scan_id", "nodule", "z"], ignore_index=True)
