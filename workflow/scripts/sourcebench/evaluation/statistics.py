"""What the folds say: means with intervals, and tests between sources.

The folds of a run share their test set and most of their training images, so an interval or a p
says how far the result depends on the split, not how it would turn out on another population.
"""

from collections.abc import Sequence
from itertools import combinations
from math import comb
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy import stats

from sourcebench.evaluation.aggregate import axes
from sourcebench.evaluation.metrics import METRICS
from sourcebench.seeds import generator

Values = Sequence[float] | npt.NDArray[np.floating[Any]] | pd.Series
PERMUTATIONS = 10_000


class Interval(NamedTuple):
    """A mean and the bounds of its confidence interval; NaN where the folds are too few."""

    mean: float
    low: float
    high: float


class Comparison(NamedTuple):
    """Student's t and the two-sided p of its permutation test; NaN where the folds are too few."""

    t: float
    p: float


def mean_ci(values: Values, level: float = 0.95) -> Interval:
    """Return the mean over folds with its t-interval.

    Args:
        values: one per fold; NaN (undefined there) is left out.
        level: of confidence, in (0, 1).

    Returns:
        The mean (NaN without a value) and the interval's bounds (NaN with fewer than two values).
        The bounds are not cut at 0 or 1.
    """
    sample = _defined(values)
    if len(sample) < 2:
        return Interval(float(sample.mean()) if len(sample) else np.nan, np.nan, np.nan)
    mean = float(sample.mean())
    half = float(stats.t.ppf((1 + level) / 2, len(sample) - 1) * stats.sem(sample))
    return Interval(mean, mean - half, mean + half)


def permutation_test(a: Values, b: Values) -> Comparison:
    """Test whether two sources differ, as the paper does (§3): a permutation test of Student's t.

    Over the permutations of two samples, |t| grows with the distance between their means, which,
    unlike t, exists where the values of each sample are all equal; so that is what is permuted. If
    there are at most 10,000 ways to part the values, all are tried and p is exact: at best
    2/252 = 0.0079 for 5 folds against 5. Otherwise 10,000 seeded draws are made.

    Args:
        a: one value per fold; NaN is left out.
        b: likewise.

    Returns:
        t, positive where `a` has the higher mean (infinite or NaN if neither sample varies), and
        p in (0, 1]. Both NaN if a sample has fewer than two values.
    """
    a, b = _defined(a), _defined(b)
    if min(len(a), len(b)) < 2:
        return Comparison(np.nan, np.nan)
    difference = a.mean() - b.mean()
    freedom = len(a) + len(b) - 2
    pooled = ((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / freedom
    with np.errstate(divide="ignore", invalid="ignore"):
        t = difference / np.sqrt(pooled * (1 / len(a) + 1 / len(b)))
    # Ties are ties whatever the order of summation: to nine digits of the largest value.
    scale = max(np.abs(a).max(), np.abs(b).max()) or 1.0
    result = stats.permutation_test(
        (a / scale, b / scale),
        lambda x, y, axis: np.abs(x.mean(axis=axis) - y.mean(axis=axis)).round(9),
        alternative="greater",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        rng=generator("permutation test"),
    )
    return Comparison(float(t), float(result.pvalue))


def smallest_p(n_a: int, n_b: int) -> float:
    """Return the smallest p that `permutation_test` can give for samples of these sizes."""
    if min(n_a, n_b) < 2:
        return np.nan
    ways = comb(n_a + n_b, n_a)
    return (1 + (n_a == n_b)) / ways if ways <= PERMUTATIONS else 1 / (PERMUTATIONS + 1)


def holm(p: Values) -> npt.NDArray[np.float64]:
    """Return Holm's adjusted p (N, float64, in [0, 1]) for a family of tests.

    Rejecting where it is at most α keeps the chance of any false rejection under α (Holm 1979).
    NaN stays NaN and does not count as a test.
    """
    raw = np.asarray(p, np.float64)
    adjusted = np.full(raw.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(raw))
    order = tested[np.argsort(raw[tested], kind="stable")]
    remaining = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(raw[order] * remaining), 1)
    return adjusted


def compare_sources(runs: pd.DataFrame, metric: str = "auroc") -> pd.DataFrame:
    """Test every pair of sources against each other wherever both have runs.

    Returns:
        One row per pair and cell (task, confounder, arch, p_art, test_set and further axes):
        `source_a, source_b, mean_a, mean_b, difference` (a − b), `t, p`, `p_smallest` (what p
        cannot go under with so few folds), `p_holm` (adjusted over all pairs and p_art of the same
        task, confounder, arch, test_set and further axes), `folds_a, folds_b`.
    """
    names = axes(runs)
    cell = [name for name in names if name not in ("source", "fold")]
    rows = []
    for key, group in runs.groupby(cell):
        samples = {source: _defined(values) for source, values in group.groupby("source")[metric]}
        for (name_a, a), (name_b, b) in combinations(samples.items(), 2):
            mean_a, mean_b = mean_ci(a).mean, mean_ci(b).mean
            t, p = permutation_test(a, b)
            floor = smallest_p(len(a), len(b))
            row = (name_a, name_b, mean_a, mean_b, mean_a - mean_b, t, p, floor, len(a), len(b))
            rows.append((*key, *row))
    columns = [*cell, "source_a", "source_b", "mean_a", "mean_b", "difference"]
    tests = ["t", "p", "p_smallest", "folds_a", "folds_b"]
    table = pd.DataFrame(rows, columns=[*columns, *tests])
    family = [name for name in cell if name != "p_art"]
    table["p_holm"] = table.groupby(family)["p"].transform(holm) if rows else table["p"]
    return table[[*columns, "t", "p", "p_holm", *tests[2:]]]


def summary(
    runs: pd.DataFrame, metrics: Sequence[str] | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Describe every cell of the experiment over its folds.

    Returns:
        One row per cell (all axes but the fold) and metric: `metric, folds` (with a value), `mean,
        sd` (N − 1), `low, high` (t-interval). NaN as in `mean_ci`.
    """
    cell = [name for name in axes(runs) if name != "fold"]
    wanted = [name for name in metrics or METRICS.names() if name in runs]
    long = runs.melt(cell, wanted, var_name="metric", value_name="value")
    table = long.groupby([*cell, "metric"], sort=False)["value"].agg(["count", "mean", "std"])
    table = table.rename(columns={"count": "folds", "std": "sd"}).reset_index()
    folds = table["folds"].where(table["folds"] > 1)
    half = stats.t.ppf((1 + level) / 2, folds - 1) * table["sd"] / np.sqrt(folds)
    return table.assign(low=table["mean"] - half, high=table["mean"] + half)


def drop_per_fold(runs: pd.DataFrame, metric: str = "auroc", test_set: str = "ood") -> pd.DataFrame:
    """Return what each fold loses on a test set from p_art = 0 to each p_art above it.

    Returns:
        One row per run of that test set with p_art > 0 whose fold also has a run with p_art = 0:
        the axes but for `test_set`, and `drop` (value at 0 minus value at p_art).
    """
    chosen = runs[runs["test_set"] == test_set]
    names = [name for name in axes(runs) if name != "test_set"]
    pair = [name for name in names if name != "p_art"]
    base = chosen.loc[chosen["p_art"] == 0, [*pair, metric]].rename(columns={metric: "base"})
    table = chosen.loc[chosen["p_art"] > 0, [*names, metric]].merge(base, on=pair)
    return table.assign(drop=table["base"] - table[metric])[[*names, "drop"]]


def shortcut_drop(runs: pd.DataFrame, metric: str = "auroc", level: float = 0.95) -> pd.DataFrame:
    """Return how much of the o.o.d. AUROC a confounder costs: the shortcut's price.

    Paired by fold: 0 means that the network did not rely on the confounder.

    Returns:
        One row per task, confounder, source, arch, p_art > 0 and further axes: `folds, drop` (mean
        over folds), `low, high` (t-interval). Empty if no run has p_art = 0.
    """
    table = drop_per_fold(runs, metric)
    cell = [name for name in axes(table) if name not in ("fold", "drop")]
    rows = [
        (*key, group["drop"].count(), *mean_ci(group["drop"], level))
        for key, group in table.groupby(cell)
    ]
    return pd.DataFrame(rows, columns=[*cell, "folds", "drop", "low", "high"])


def networks(runs: pd.DataFrame) -> pd.DataFrame:
    """Return one row per trained network: its axes and `best_epoch, epochs, seconds`.

    A network has a row per test set, and that with p_art = 0 is shared by confounders; rows with
    p_art = 0 that agree in all of `best_epoch, epochs, seconds` are the same network, and stand
    under the first of its confounders.
    """
    effort = ["best_epoch", "epochs", "seconds"]
    names = [name for name in axes(runs) if name != "test_set"]
    table = runs[[*names, *effort]].drop_duplicates(names)
    shared = [name for name in names if name != "confounder"]
    again = (table["p_art"] == 0) & table.duplicated([*shared, *effort])
    return table[~again].reset_index(drop=True)


def epochs_per_source(runs: pd.DataFrame) -> pd.DataFrame:
    """Return for how long each source's networks were trained (paper §3: 141 against 72 epochs).

    Returns:
        One row per task, arch and source: `networks`, and mean, standard deviation, median,
        minimum and maximum of `epochs`; mean `best_epoch`; total `hours`.
    """
    groups = networks(runs).groupby(["task", "arch", "source"])
    epochs = groups["epochs"]
    table = epochs.agg(["count", "mean", "std", "median", "min", "max"])
    table = table.rename(columns={"count": "networks", "std": "sd"})
    table["best_epoch"] = groups["best_epoch"].mean()
    table["hours"] = groups["seconds"].sum() / 3600
    return table.reset_index()


def _defined(values: Values) -> npt.NDArray[np.float64]:
    """Return the values that are numbers."""
    sample = np.asarray(values, np.float64)
    return sample[~np.isnan(sample)]
