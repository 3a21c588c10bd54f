"""Splits that somebody published, as a design."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from sourcebench.design.assign import rank, share
from sourcebench.design.ranges import of_artifact, of_shares
from sourcebench.design.rows import NONE, Design, fold_columns
from sourcebench.design.test_sets import Shifted
from sourcebench.errors import SourceBenchError


def build(
    splits: pd.DataFrame,
    *,
    seed: int,
    name: str,
    confounder: str = NONE,
    carrier: tuple[str, str] | None = None,
    shifts: Sequence[Shifted] = (),
    manifest: pd.DataFrame | None = None,
) -> Design:
    """Turn published splits into a design.

    Where the folds do not depend on p_art, ranks are drawn as for our own splits. Where they do
    (gender), the rows of each p_art are kept, with the attribute that they were sampled by.

    Args:
        splits: long form, see `read`.
        seed: the study's seed.
        name: the task's name.
        confounder: the layer of images that carry its artifact.
        carrier: (column, value) of the attribute, where the sampling is the confounder.
        shifts: what else it is tested on.
        manifest: where the attribute stands if the splits don't tell it.

    Raises:
        SourceBenchError: the splits depend on p_art without an attribute, or the reverse.
    """
    if bool(splits["p_art"].notna().any()) != (carrier is not None):
        raise SourceBenchError(
            f"{name}: folds in folders F_<percent> belong to a confounder made by sampling (such "
            "as gender), folds without them to one drawn into the images; the published splits "
            "and the task's confounders do not fit together."
        )
    if carrier is None:
        rows = _rows(splits, ["image_id"])
        return of_artifact(share(rank(rows, seed, name), seed, name), confounder, shifts)
    rows = _rows(splits, ["p_art", "image_id"]).assign(rank=np.nan)
    rows["carrier"] = (_attribute(rows, carrier[0], manifest) == carrier[1]).astype(int)
    return of_shares(share(rows, seed, name), shifts)


def _rows(splits: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Return a row per image (and p_art, if that is a key), with its role and its folds."""
    held_out = splits["part"] == "test"
    development = splits[~held_out]
    first = development.drop_duplicates(keys).assign(role="dev")
    rows = pd.concat([first, splits[held_out].assign(role="test")], ignore_index=True)
    of = pd.MultiIndex.from_frame(rows[keys])
    for fold in sorted(development["fold"].astype(int).unique()):
        here = development[development["fold"] == fold]
        parts = here["part"].set_axis(pd.MultiIndex.from_frame(here[keys]))
        rows[f"fold_{fold}"] = parts.reindex(of).fillna("").to_numpy()
        rows.loc[rows["role"] == "test", f"fold_{fold}"] = ""
    return rows


def _attribute(rows: pd.DataFrame, column: str, manifest: pd.DataFrame | None) -> pd.Series:
    """Return the attribute of every row, from the manifest if the splits don't tell it."""
    if manifest is None or (column in rows and rows[column].notna().any()):
        return rows[column]
    return rows["image_id"].map(manifest.set_index("image_id")[column])


def require_folds(images: pd.DataFrame, folds: int, name: str) -> None:
    """Refuse published splits that have fewer folds than the experiment.

    Raises:
        SourceBenchError: they have fewer.
    """
    if (there := len(fold_columns(images))) < folds:
        raise SourceBenchError(
            f"{name}: the published splits have {there} folds, fewer than the {folds} of "
            "experiment.folds; lower that."
        )
