"""Cells of an experiment as arrays: what is run again and again, and its replicates."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sourcebench.evaluation.replicates import AGAIN, unit, with_repeat

STILL = (0, 0.5, 1)
"""AUROCs that are the same in every draw: of classes apart, and of one answer to all images."""


@dataclass(frozen=True)
class Cells:
    """Cells, and a value of each replicate.

    Attributes:
        keys: a row per cell, C in all: what sets it apart.
        values: C×F, on the test set as it is, repeats of a fold averaged; NaN where there is none.
        draws: C×F×B, on draws of its patients.
        folds: C, how many folds have a value.
        repeats: C, how many repeats.
        still: C, whether all values (of both, of a difference) are some of `STILL`.
    """

    keys: pd.DataFrame
    values: npt.NDArray[np.float64]
    draws: npt.NDArray[np.float32]
    folds: npt.NDArray[np.int64]
    repeats: npt.NDArray[np.int64]
    still: npt.NDArray[np.bool_]

    def where(self, **wanted: Any) -> Cells:
        """Return the cells whose keys have these values, in order, without those keys."""
        there = np.ones(len(self.keys), bool)
        for name, value in wanted.items():
            there &= (self.keys[name] == value).to_numpy()
        return self.at(np.flatnonzero(there), drop=list(wanted))

    def at(self, rows: npt.NDArray[np.intp], drop: Sequence[str] = ()) -> Cells:
        """Return some of the cells, by their places."""
        keys = self.keys.iloc[rows].drop(columns=list(drop)).reset_index(drop=True)
        counts = self.folds[rows], self.repeats[rows], self.still[rows]
        return Cells(keys, self.values[rows], self.draws[rows], *counts)

    def less(self, other: Cells) -> Cells:
        """Return what each cell has over the one of the same place in the others, by replicate."""
        values, draws = self.values - other.values, self.draws - other.draws
        folds = np.minimum(self.folds, other.folds)
        folds = np.where(folds > 1, (~np.isnan(values)).sum(1), folds)
        repeats = np.minimum(self.repeats, other.repeats)
        return Cells(self.keys, values, draws, folds, repeats, self.still & other.still)


def cells(
    runs: pd.DataFrame,
    keys: Sequence[str],
    values: npt.NDArray[np.float64],
    draws: npt.NDArray[np.float32],
) -> Cells:
    """Put the rows of runs into cells.

    Args:
        runs: R rows, with the keys and the axes `fold` and, in a study with it, `repeat`.
        keys: columns that set cells apart.
        values: one per row; NaN where it is undefined.
        draws: R×B.
    """
    place = runs.groupby(list(keys), sort=True, dropna=False).ngroup().to_numpy()
    replicate, names = pd.factorize(runs[unit(runs)], sort=True)
    cells, folds = int(place.max(initial=-1)) + 1, len(names)
    there = ~np.isnan(values)
    spot = place[there] * folds + replicate[there]
    count = np.bincount(spot, minlength=cells * folds)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(spot, values[there], cells * folds) / count
    summed = np.zeros((cells * folds, draws.shape[1]), np.float32)
    np.add.at(summed, spot, draws[there])
    summed[count == 0] = np.nan
    drawn = np.divide(summed, np.maximum(count, 1)[:, None], dtype=np.float32)
    first = np.unique(place, return_index=True)[1]
    folds_there, repeats_there = _sizes(runs.assign(_place=place)[there], cells)
    return Cells(
        runs[list(keys)].iloc[first].reset_index(drop=True),
        mean.reshape(cells, folds),
        drawn.reshape(cells, folds, -1),
        folds_there,
        repeats_there,
        np.asarray(np.isin(np.nan_to_num(mean), STILL).reshape(cells, folds).all(1)),
    )


def _sizes(runs: pd.DataFrame, cells: int) -> list[npt.NDArray[np.int64]]:
    """Return of how many folds, and of how many repeats, each cell has a value."""
    groups = with_repeat(runs).groupby("_place")
    every = pd.RangeIndex(cells)
    counts = [groups[name].nunique().reindex(every, fill_value=0) for name in AGAIN]
    return [np.asarray(each, np.int64) for each in counts]
