"""What a study has, where a paper published something."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from sourcebench.axes import FURTHER
from sourcebench.evaluation.comparisons import Comparison, permutation_test, smallest_p
from sourcebench.evaluation.intervals import Interval, mean_ci
from sourcebench.evaluation.published.match import Cell
from sourcebench.evaluation.replicates import replicates
from sourcebench.evaluation.resampling import Floats
from sourcebench.evaluation.statistics import networks

CELL = list(Cell.__annotations__)
TARGET = ["task", "confounder", "source", "arch"]
NOTHING = Interval(np.nan, np.nan, np.nan)
WORST_FIRST = ("no", "misled", "", "yes")
"""The values of `skilled`, see `costs.skills`."""


def at_defaults(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are like the runs of a study without further axes."""
    for axis in FURTHER:
        if axis.name in table and not axis.again:
            table = table[table[axis.name] == axis.default]
    return table


class Cells:
    """The means of a study's cells, by cell and p_art, and their skill.

    Args:
        summary: one row per cell and metric, as `statistics.summary` has them. Where a study has
            further axes, only cells at their defaults (everything fine-tuned, all patients) count.
    """

    def __init__(self, summary: pd.DataFrame) -> None:
        kept = at_defaults(summary)
        keys = kept[[*CELL, "p_art"]].itertuples(index=False, name=None)
        values = kept[["mean", "low", "high"]].itertuples(index=False, name=None)
        self._known = {key: Interval(*each) for key, each in zip(keys, values, strict=True)}
        targets = kept[TARGET].itertuples(index=False, name=None)
        self._skilled: dict[tuple[str, ...], str] = dict(zip(targets, kept["skilled"], strict=True))

    def at(self, cell: Cell, p_art: float) -> Interval:
        """Return a cell's mean and interval; NaN where there is none."""
        return self._known.get((*_values(cell, CELL), p_art), NOTHING)

    def skilled(self, *cells: Cell) -> str:
        """Return whether the networks of all these cells have skill: the worst answer of them."""
        told = [self._skilled.get(_values(cell, TARGET), "") for cell in cells]
        return min(told, key=WORST_FIRST.index)


class Permuted(NamedTuple):
    """Student's t of two samples, p of the permutation test, and what p can't go under."""

    t: float
    p: float
    least: float


class Runs:
    """The runs of a study, at the defaults of further axes.

    Args:
        runs: one row per run and test set, as runs.csv has them.
    """

    def __init__(self, runs: pd.DataFrame) -> None:
        self._runs = at_defaults(runs)

    def test(self, one: Cell, other: Cell, p_art: float) -> Permuted:
        """Test whether two cells differ at one p_art, over replicates, as the paper does (§3).

        Returns:
            t is above 0 where the first has the higher mean; NaN with fewer than two replicates.
        """
        a, b = (self._values(cell, p_art) for cell in (one, other))
        found: Comparison = permutation_test(a, b)
        count = [int((~np.isnan(each)).sum()) for each in (a, b)]
        return Permuted(found.t, found.p, smallest_p(*count))

    def epochs(self, pairs: Sequence[tuple[Cell, Cell]]) -> Interval:
        """Return by how many epochs the first of each pair of cells trained longer, on average.

        Paired by p_art and fold. Networks of p_art = 0 that confounders share count once. The mean
        of a fold, over all its networks, is one observation: the interval is Student's over the
        folds (where there is one, over its repeats), and NaN with fewer than two.
        """
        keys = ["task", "confounder", "arch", "p_art", "replicate"]
        a, b = (self._trained([pair[side] for pair in pairs])[[*keys, "epochs"]] for side in (0, 1))
        both = a.merge(b, on=keys)
        more = (both["epochs_x"] - both["epochs_y"]).groupby(both["replicate"]).mean()
        return mean_ci(more, limits=None)

    def _trained(self, cells: Sequence[Cell]) -> pd.DataFrame:
        """Return for how many epochs the networks of cells trained, by replicate."""
        there = pd.concat([self._of(cell, TARGET) for cell in cells])
        return replicates(networks(there), ["epochs"])

    def _values(self, cell: Cell, p_art: float) -> Floats:
        """Return a cell's values by replicate."""
        there = self._of(cell, [*TARGET, "test_set"])
        there = there[there["p_art"] == p_art]
        return replicates(there, [cell["metric"]])[cell["metric"]].to_numpy(np.float64)

    def _of(self, cell: Cell, names: Sequence[str]) -> pd.DataFrame:
        rows = self._runs
        for name, value in zip(names, _values(cell, names), strict=True):
            rows = rows[rows[name] == value]
        return rows


def _values(cell: Cell, names: Sequence[str]) -> tuple[str, ...]:
    where: dict[str, Any] = {**cell}
    return tuple(where[name] for name in names)
