"""What the runs say of every cell of the experiment: the tables of a study.

The folds of a cell share their test set and most of their training images, so an interval or a p
says how far the result depends on the split, not how it would turn out on another population.
"""

from collections.abc import Sequence
from itertools import combinations

import pandas as pd

from sourcebench.evaluation.aggregate import axes
from sourcebench.evaluation.comparisons import holm, permutation_test, smallest_p
from sourcebench.evaluation.intervals import bounds, mean_ci
from sourcebench.evaluation.metrics import METRICS, limits
from sourcebench.evaluation.replicates import AGAIN, cell, defined, replicates, sizes, with_repeat


def compare_sources(runs: pd.DataFrame, metric: str = "auroc") -> pd.DataFrame:
    """Test every pair of sources against each other wherever both have runs.

    Over folds, the repeats of each averaged; over repeats where there is one fold (`replicates`).

    Returns:
        One row per pair and cell (task, confounder, arch, p_art, test_set and further axes):
        `source_a, source_b, mean_a, mean_b, difference` (a − b), `t, p, p_holm` (adjusted over all
        pairs and p_art of the same task, confounder, arch, test_set and further axes),
        `p_smallest` (what p cannot go under with so few replicates), and with a value `folds_a,
        repeats_a, folds_b, repeats_b`.
    """
    keys = cell(runs, "source")
    counts = sizes(runs, metric, [*keys, "source"]).T.to_dict("list")
    rows = []
    for key, group in replicates(runs, [metric]).groupby(keys):
        samples = {source: defined(values) for source, values in group.groupby("source")[metric]}
        for (name_a, a), (name_b, b) in combinations(samples.items(), 2):
            mean_a, mean_b = (float(each.mean()) if len(each) else float("nan") for each in (a, b))
            t, p = permutation_test(a, b)
            row = (name_a, name_b, mean_a, mean_b, mean_a - mean_b, t, p)
            there = (*counts[*key, name_a], *counts[*key, name_b])
            rows.append((*key, *row, smallest_p(len(a), len(b)), *there))
    columns = [*keys, "source_a", "source_b", "mean_a", "mean_b", "difference"]
    numbers = ["p_smallest", "folds_a", "repeats_a", "folds_b", "repeats_b"]
    table = pd.DataFrame(rows, columns=[*columns, "t", "p", *numbers])
    family = [name for name in keys if name != "p_art"]
    table["p_holm"] = table.groupby(family)["p"].transform(holm) if rows else table["p"]
    return table[[*columns, "t", "p", "p_holm", *numbers]]


def summary(
    runs: pd.DataFrame, metrics: Sequence[str] | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Describe every cell of the experiment.

    Returns:
        One row per cell (all axes but fold and repeat) and metric: `metric`, `folds` and `repeats`
        (with a value), `mean` (over the replicates, see `replicates`), `sd` (over all runs, N − 1),
        `low, high` (the mean's confidence interval over the replicates, see `bounds`). NaN where
        there are too few.
    """
    wanted = [name for name in metrics or METRICS.names() if name in runs]
    keys = [*cell(runs), "metric"]
    long = with_repeat(runs).melt(
        [*cell(runs), *AGAIN], wanted, var_name="metric", value_name="value"
    )
    over = replicates(long, ["value"]).groupby(keys, sort=False)["value"]
    table = sizes(long, "value", keys).join(over.mean().rename("mean"))
    table["sd"] = long.groupby(keys, sort=False)["value"].std()
    table["low"] = table["high"] = float("nan")
    spread = over.agg(["mean", "std", "count"]).reindex(table.index)
    for metric, rows in spread.groupby("metric", sort=False):
        low, high = bounds(rows["mean"], rows["std"], rows["count"], level, limits(str(metric)))
        table.loc[rows.index, "low"], table.loc[rows.index, "high"] = low, high
    return table.reset_index()


def drops(runs: pd.DataFrame, metric: str = "auroc", test_set: str = "ood") -> pd.DataFrame:
    """Return what each fold and repeat loses on a test set from p_art = 0 to each p_art above it.

    Returns:
        One row per run of that test set with p_art > 0 whose fold and repeat also have a run with
        p_art = 0: the axes but for `test_set`, and `drop` (value at 0 minus value at p_art).
    """
    chosen = runs[runs["test_set"] == test_set]
    names = [name for name in axes(runs) if name != "test_set"]
    pair = [name for name in names if name != "p_art"]
    base = chosen.loc[chosen["p_art"] == 0, [*pair, metric]].rename(columns={metric: "base"})
    table = chosen.loc[chosen["p_art"] > 0, [*names, metric]].merge(base, on=pair)
    return table.assign(drop=table["base"] - table[metric])[[*names, "drop"]]


def shortcut_drop(runs: pd.DataFrame, metric: str = "auroc", level: float = 0.95) -> pd.DataFrame:
    """Return how much of the o.o.d. AUROC a confounder costs: the shortcut's price.

    Paired by fold and repeat: 0 means that the network did not rely on the confounder.

    Returns:
        One row per task, confounder, source, arch, p_art > 0 and further axes: `folds, repeats,
        drop` (mean over the replicates, see `replicates`), `low, high` (its confidence interval).
        Empty if no run has p_art = 0.
    """
    table = drops(runs, metric)
    keys = cell(table, "drop")
    counts = sizes(table, "drop", keys).T.to_dict("list")
    rows = [
        (*key, *counts[key], *mean_ci(group["drop"], level, drop_limits(metric)))
        for key, group in replicates(table, ["drop"]).groupby(keys)
    ]
    return pd.DataFrame(rows, columns=[*keys, "folds", "repeats", "drop", "low", "high"])


def drop_limits(metric: str = "auroc") -> tuple[float, float] | None:
    """Return between which a drop of a metric lies: in [−1, 1] for an AUROC."""
    span = limits(metric)
    return (span[0] - span[1], span[1] - span[0]) if span else None


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
        One row per task, arch, source and further axes but the repeat: `networks`, and mean,
        standard deviation (N − 1), median, minimum and maximum of `epochs` over them; mean
        `best_epoch`; total `hours`.
    """
    first = ["task", "arch", "source"]
    keys = [*first, *cell(runs, *first, "confounder", "p_art", "test_set")]
    groups = networks(runs).groupby(keys)
    epochs = groups["epochs"]
    table = epochs.agg(["count", "mean", "std", "median", "min", "max"])
    table = table.rename(columns={"count": "networks", "std": "sd"})
    table["best_epoch"] = groups["best_epoch"].mean()
    table["hours"] = groups["seconds"].sum() / 3600
    return table.reset_index()
