"""Splits that somebody published, as a design."""

import numpy as np
import pandas as pd

from sourcebench.design.assign import rank, share
from sourcebench.design.rows import fold_columns
from sourcebench.errors import SourceBenchError


def from_published(
    splits: pd.DataFrame,
    *,
    seed: int,
    name: str,
    carrier: tuple[str, str] | None = None,
    manifest: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Turn published splits into a design.

    Where the folds do not depend on p_art, ranks are drawn as for our own splits. Where they do
    (gender), the rows of each p_art are kept, with the attribute that they were sampled by.

    Args:
        splits: long form, see `datasets.splits.read`.
        seed: the study's seed.
        name: the task's name.
        carrier: (column, value) of the attribute, where the sampling is the confounder.
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
    test_rows = splits[splits["part"] == "test"].assign(role="test")
    sampled = carrier is not None
    keys = ["p_art", "image_id"] if sampled else ["image_id"]
    development_rows = splits[splits["part"] != "test"]
    first = development_rows.drop_duplicates(keys).assign(role="dev")
    design = pd.concat([first, test_rows], ignore_index=True)
    for fold in sorted(development_rows["fold"].astype(int).unique()):
        parts = development_rows[development_rows["fold"] == fold].set_index(keys)["part"]
        looked_up = pd.MultiIndex.from_frame(design[keys]) if sampled else design["image_id"]
        design[f"fold_{fold}"] = parts.reindex(looked_up).fillna("").to_numpy()
        design.loc[design["role"] == "test", f"fold_{fold}"] = ""
    columns = ["image_id", "patient_id", "label", "role", *fold_columns(design)]
    if carrier is not None:
        column, value = carrier
        if manifest is not None and not (column in design and design[column].notna().any()):
            known = manifest.set_index("image_id")[column]
            design[column] = design["image_id"].map(known)
        design["carrier"] = (design[column] == value).astype(int)
        sampled_rows = design[["p_art", *columns, "carrier"]].assign(rank=np.nan)
        return share(sampled_rows, seed, name)
    return share(rank(design[columns], seed, name), seed, name)
