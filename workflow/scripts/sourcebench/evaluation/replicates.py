"""What counts as one observation: a fold, over which repeats are averaged; or else a repeat.

A cell of the experiment is run once per fold and repeat. The repeats of a fold share its images and
its starting weights, so what they say of another split is one thing said several times: where there
are several folds, the repeats of each are averaged, and the folds are the replicates of which
intervals and tests are made. Taking every run for a replicate would make p and intervals smaller
than they are. In a study of a single fold the repeats are the replicates, and an interval or a p
says how far the result depends on the seed.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sourcebench.axes import AXES
from sourcebench.evaluation.aggregate import axes

Values = Sequence[float] | npt.NDArray[np.floating[Any]] | pd.Series
AGAIN = tuple(axis.name for axis in AXES if axis.again)
"""The axes that run a cell again, rather than make another cell."""


def with_repeat(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the runs with a column `repeat`: 1 in a study without that axis."""
    return runs if "repeat" in runs else runs.assign(repeat=1)


def cell(runs: pd.DataFrame, *but: str) -> list[str]:
    """Return the columns of `runs` that set cells apart, less those named: neither is averaged."""
    return [name for name in axes(runs) if name not in (*AGAIN, *but)]


def unit(runs: pd.DataFrame) -> str:
    """Return what a replicate of these runs is: 'fold', or 'repeat' where there is one fold."""
    repeated = "repeat" in runs and runs["repeat"].nunique() > 1
    return "repeat" if repeated and runs["fold"].nunique() == 1 else "fold"


def replicates(runs: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return what intervals and tests are made of: one row per cell and replicate.

    Args:
        runs: one row per run and test set.
        columns: those to be averaged over the repeats of a fold; NaN (undefined) is left out.

    Returns:
        The axes that set cells apart, `replicate` (the fold; the repeat where there is one fold)
        and the columns.
    """
    kind = unit(runs)
    keys = [*cell(runs, *columns), kind]
    means = runs.groupby(keys, sort=False, as_index=False)[list(columns)].mean()
    return means.rename(columns={kind: "replicate"})


def sizes(runs: pd.DataFrame, column: str, by: Sequence[str]) -> pd.DataFrame:
    """Return how many `folds` and `repeats` of each group have a value; indexed by the group."""
    there = with_repeat(runs)
    there = there.assign(**{name: there[name].where(there[column].notna()) for name in AGAIN})
    groups = there.groupby(list(by), sort=False)
    return groups.agg(folds=("fold", "nunique"), repeats=("repeat", "nunique"))


def defined(values: Values) -> npt.NDArray[np.float64]:
    """Return the values that are numbers."""
    sample = np.asarray(values, np.float64)
    return sample[~np.isnan(sample)]
