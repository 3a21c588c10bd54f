"""The rows of a design's table that a run trains on and is tested on."""

from pathlib import Path

import numpy as np
import pandas as pd

from sourcebench import files
from sourcebench.design.labels import confounded

TEST_SETS = ("iid", "ood", "clean")

# The network of p_art = 0 is one for all confounders that leave an unconfounded image as it is.
NONE = "none"


def test_sets(confounder: str) -> tuple[str, ...]:
    """Return the test sets of a confounder; without one, all three would be the same."""
    return ("clean",) if confounder == NONE else TEST_SETS


def fold_columns(design: pd.DataFrame) -> list[str]:
    """Return the names of the fold columns, `fold_1` … `fold_K`."""
    return [str(column) for column in design if str(column).startswith("fold_")]


def read(path: str | Path) -> pd.DataFrame:
    """Read a design's table, with empty folds as empty text."""
    table = files.read_table(path)
    return table.assign(**{fold: table[fold].fillna("") for fold in fold_columns(table)})


def development(design: pd.DataFrame, p_art: float, fold: int, fraction: float = 1) -> pd.DataFrame:
    """Return the development set of a run.

    Args:
        design: the design.
        p_art: the run's share of the confounded class with the artifact.
        fold: from 1 on.
        fraction: of the training set's patients, in (0, 1]; the validation set stays whole.

    Returns:
        `image_id, patient_id, label, artifact (bool), part (train|val)`.
    """
    chosen = _at(design, p_art)
    # Splits that somebody published may leave an image out of a fold.
    in_fold = chosen[f"fold_{fold}"].isin(["train", "val"])
    if fraction < 1:
        in_fold &= (chosen[f"fold_{fold}"] == "val") | (chosen["share"] < fraction)
    chosen = _confound(chosen[(chosen["role"] == "dev") & in_fold], p_art)
    return _columns(chosen.assign(part=chosen[f"fold_{fold}"]), "part")


def test(design: pd.DataFrame, p_art: float, test_set: str) -> pd.DataFrame:
    """Return a test set of a run.

    Args:
        design: the design.
        p_art: the run's share; matters to the i.i.d. test set alone.
        test_set: 'iid' (the confounded class carries the artifact with p_art), 'ood' (every image
            but those of the confounded class carries it) or 'clean' (none does).

    Returns:
        `image_id, patient_id, label, artifact`; empty where splits that somebody published have
        no such test set.
    """
    chosen = _at(design, p_art)
    chosen = chosen[chosen["role"] == "test"]
    if test_set == "iid":
        return _columns(_confound(chosen, p_art))
    others = chosen["label"] != confounded(design)
    artifact = others if test_set == "ood" else pd.Series(False, chosen.index)
    if "carrier" in chosen:
        chosen = chosen[chosen["carrier"].astype(bool) == artifact]
        if chosen["label"].nunique() < 2:
            chosen = chosen[:0]
        artifact = chosen["carrier"].astype(bool)
    return _columns(chosen.assign(artifact=artifact))


def _at(design: pd.DataFrame, p_art: float) -> pd.DataFrame:
    """Keep the rows of one p_art, where splits that somebody published have rows for each."""
    if "p_art" not in design:
        return design
    return design[design["p_art"].isna() | np.isclose(design["p_art"], p_art)]


def _confound(rows: pd.DataFrame, p_art: float) -> pd.DataFrame:
    carries = rows["rank"] < p_art  # others than the confounded class have none
    if "p_art" in rows:  # drawn for this p_art by somebody else, without an i.i.d. test set
        sampled = rows[rows["role"] == "dev"]
        return sampled.assign(artifact=sampled["carrier"].astype(bool))
    if "carrier" in rows:
        carrier = rows["carrier"].astype(bool)
        return rows[carrier == carries].assign(artifact=carrier)
    return rows.assign(artifact=carries)


def _columns(rows: pd.DataFrame, *more: str) -> pd.DataFrame:
    columns = ["image_id", "patient_id", "label", "artifact", *more]
    return rows.reset_index(drop=True).reindex(columns=columns)


def long_form(design: pd.DataFrame, p_arts: list[float]) -> pd.DataFrame:
    """Return a design as `datasets.splits.audit` wants it: one row per p_art, fold and image."""
    frames = []
    for p_art in p_arts:
        tests = [test(design, p_art, name) for name in TEST_SETS]
        everyone = pd.concat(tests).drop_duplicates("image_id")
        frames.append(everyone.assign(part="test", p_art=p_art))
        for fold in range(1, len(fold_columns(design)) + 1):
            rows = development(design, p_art, fold)
            frames.append(rows.assign(p_art=p_art, fold=fold))
    return pd.concat(frames, ignore_index=True)
