"""The rows of a design that a run trains on and is tested on."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sourcebench import files

# The network of p_art = 0 is one for all confounders that leave an unconfounded image as it is; and
# so are the images that no artifact was drawn into.
NONE = "none"


class Design(NamedTuple):
    """A design's two tables; the room's docstring has their columns.

    Attributes:
        images: who is trained on what.
        tests: which images each test set has.
    """

    images: pd.DataFrame
    tests: pd.DataFrame


def fold_columns(images: pd.DataFrame) -> list[str]:
    """Return the names of the fold columns, `fold_1` … `fold_K`."""
    return [str(column) for column in images if str(column).startswith("fold_")]


def read(images: str | Path, tests: str | Path) -> Design:
    """Read a design's tables, with empty folds as empty text."""
    who = files.read_table(images, text=["layer"])
    who = who.assign(**{fold: who[fold].fillna("") for fold in fold_columns(who)})
    return Design(who, files.read_table(tests, text=["test_set", "family", "layer"]))


def read_all(
    names: Iterable[str], images: Iterable[str | Path], tests: Iterable[str | Path]
) -> dict[str, Design]:
    """Read the tables of several designs, by the names of their confounders."""
    return {name: read(*paths) for name, *paths in zip(names, images, tests, strict=True)}


def at(rows: pd.DataFrame, p_art: float) -> pd.DataFrame:
    """Return the rows of either table that hold for a p_art: low < p_art <= high."""
    beyond = (rows["low"] >= p_art) | (rows["high"] < p_art)  # no end compares as false
    return rows[~beyond]


def development(images: pd.DataFrame, p_art: float, fold: int, fraction: float = 1) -> pd.DataFrame:
    """Return the development set of a run.

    Args:
        images: who is trained on what.
        p_art: the run's share of the confounded class with the artifact.
        fold: from 1 on.
        fraction: of the training set's patients, in (0, 1]; the validation set stays whole.

    Returns:
        `image_id, patient_id, label, artifact (bool), layer, part (train|val)`.
    """
    rows = at(images, p_art)
    part = rows[f"fold_{fold}"]
    # Splits that somebody published may leave an image out of a fold.
    in_fold = part.isin(["train", "val"])
    if fraction < 1:
        in_fold &= (part == "val") | (rows["share"] < fraction)
    artifact = rows["rank"] < p_art
    rows = rows.assign(artifact=artifact, layer=rows["layer"].where(artifact, NONE), part=part)
    columns = ["image_id", "patient_id", "label", "artifact", "layer", "part"]
    return rows.loc[in_fold, columns].reset_index(drop=True)


def test(tests: pd.DataFrame, p_art: float) -> pd.DataFrame:
    """Return what a run is tested on.

    Args:
        tests: which images each test set has.
        p_art: the run's share; matters to the i.i.d. test set alone.

    Returns:
        `test_set, image_id, patient_id, label, artifact (bool), layer`; a test set that splits
        which somebody published do not have is not in it.
    """
    columns = ["test_set", "image_id", "patient_id", "label", "artifact", "layer"]
    return at(tests, p_art)[columns].astype({"artifact": bool}).reset_index(drop=True)


def long_form(design: Design, p_arts: list[float]) -> pd.DataFrame:
    """Return a design as `audit.audit` wants it: one row per p_art, fold and image."""
    frames = []
    for p_art in p_arts:
        everyone = test(design.tests, p_art).drop_duplicates("image_id")
        known = everyone["image_id"].isin(design.images["image_id"])
        part = known.map({True: "test", False: "target"})
        frames.append(everyone.assign(part=part, p_art=p_art))
        for fold in range(1, len(fold_columns(design.images)) + 1):
            rows = development(design.images, p_art, fold)
            frames.append(rows.assign(p_art=p_art, fold=fold))
    return pd.concat(frames, ignore_index=True)
