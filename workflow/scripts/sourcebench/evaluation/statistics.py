"""What the evidence says of every cell of the experiment: the tables of a study."""

from collections.abc import Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np
import pandas as pd

from sourcebench.evaluation.aggregate import axes
from sourcebench.evaluation.bootstrap import estimate, mean_of
from sourcebench.evaluation.cells import Cells
from sourcebench.evaluation.comparisons import holm, permutation_test, smallest_p
from sourcebench.evaluation.corrected import corrected_t
from sourcebench.evaluation.costs import DROPS, drops, estimate_of, with_skill
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.intervals import Limits
from sourcebench.evaluation.metrics import limits
from sourcebench.evaluation.power import detectable
from sourcebench.evaluation.replicates import cell, unit

COMPARED = [
    "of", "source_a", "source_b", "mean_a", "mean_b", "difference", "se",
    "freedom", "low", "high", "p", "p_holm",
    "detectable", "t", "p_permutation", "p_smallest", "p_corrected", "folds_a", "repeats_a",
    "folds_b", "repeats_b",
]  # fmt: skip


def summary(evidence: Evidence, metrics: Sequence[str] | None = None) -> pd.DataFrame:
    """Describe every cell of the experiment.

    Returns:
        One row per cell (all axes but fold and repeat) and metric: `metric`, `folds` and `repeats`
        (with a value), `mean` (over the replicates), `sd` (over all runs, N − 1), `low, high` (its
        95 % confidence interval, see `bootstrap`), `skilled`. NaN where there is no telling.
    """
    parts = []
    for metric in metrics or evidence.metrics:
        there = evidence.cells(metric)
        found = estimate(there.values, there.draws, evidence.rarest)
        low, high = found.interval(limits(metric))
        spread = evidence.runs.groupby(list(there.keys), sort=True)[metric].std().to_numpy()
        numbers = {"folds": there.folds, "repeats": there.repeats, "mean": found.mean}
        row = there.keys.assign(metric=metric, **numbers, sd=spread, low=low, high=high)
        parts.append(row)
    return with_skill(evidence, pd.concat(parts, ignore_index=True))


def compare_sources(evidence: Evidence) -> pd.DataFrame:
    """Test every pair of sources against each other: their AUROC, and what a shortcut costs them.

    Paired by image and replicate. `of` is "auroc", on each test set and at each p_art, or "drop",
    the o.o.d. AUROC lost since p_art = 0: whether one source is more robust than the other.

    Returns:
        One row per pair and cell (task, confounder, arch, p_art, further axes, test_set, of):
        `source_a, source_b, mean_a, mean_b, difference` (a − b), `se, freedom` (its standard error
        and degrees of freedom), `low, high` (its 95 % confidence interval), `p` (of no
        difference, see `bootstrap`), `p_holm` (adjusted over all pairs and
        all p_art above 0 of the same task, confounder, arch, further axes, test_set and of; at
        p_art = 0, where there is no artifact to be robust to, none, unless the study has no
        confounder), `detectable` (the true difference that this design finds four times in five, at
        5 %), `t, p_permutation` (the paper's test, over replicates), `p_smallest` (what that cannot
        go under), `p_corrected` (Nadeau and Bengio's, over folds; of repeats none), `skilled`
        (whether both are), `folds_a, repeats_a, folds_b, repeats_b`.
    """
    lost = drops(evidence)
    drop = replace(lost, keys=lost.keys.assign(test_set="ood"))
    parts = [
        _compared(evidence, evidence.cells(), "auroc", limits("auroc")),
        _compared(evidence, drop, "drop", DROPS),
    ]
    there = [each for each in parts if not each.empty]
    table = pd.concat(there or parts, ignore_index=True)
    family = [*cell(evidence.runs, "source", "p_art"), "of"]
    counted = (table["p_art"] > 0) | bool((evidence.runs["p_art"] == 0).all())
    table.loc[counted, "p_holm"] = table[counted].groupby(family)["p"].transform(holm)
    return table


def _compared(evidence: Evidence, cells: Cells, of: str, within: Limits | None) -> pd.DataFrame:
    """Return the rows of all pairs, of one quantity."""
    keys = [name for name in cells.keys if name != "source"]
    span = (within[0] - within[1], within[1] - within[0]) if within else None
    folds = unit(evidence.runs) == "fold"  # repeats of one fold train on the same images
    rows = cells.keys.assign(_row=cells.keys.index)
    parts = [pd.DataFrame(columns=[*keys, *COMPARED])]
    for a, b in combinations(sorted(cells.keys["source"].unique()), 2):
        both = rows[rows["source"] == a].merge(rows[rows["source"] == b], on=keys)
        if both.empty:
            continue
        one, other = (cells.at(both[name].to_numpy(np.intp)) for name in ("_row_x", "_row_y"))
        less = one.less(other)
        both_have = ~np.isnan(less.values)
        found = estimate_of(evidence, less)
        found = found.cautious(span, less.still) if span else found
        low, high = found.interval(span)
        tests = [permutation_test(*each) for each in zip(one.values, other.values, strict=True)]
        parts.append(
            both[keys].assign(
                of=of, source_a=a, source_b=b,
                mean_a=mean_of(np.where(both_have, one.values, np.nan), -1),
                mean_b=mean_of(np.where(both_have, other.values, np.nan), -1),
                difference=found.mean, se=found.se, freedom=found.freedom,
                low=low, high=high, p=found.p(span), p_holm=np.nan,
                detectable=detectable(found.se, found.freedom, limits=span),
                t=[test.t for test in tests], p_permutation=[test.p for test in tests],
                p_smallest=list(map(smallest_p, _count(one), _count(other))),
                p_corrected=[
                    corrected_t(each, *size).p if folds else np.nan
                    for each, size in zip(less.values, _sizes(evidence, both), strict=True)
                ],
                folds_a=one.folds, repeats_a=one.repeats,
                folds_b=other.folds, repeats_b=other.repeats,
            )
        )  # fmt: skip
    return _both_skilled(evidence, pd.concat(parts[1:] or parts))


def _sizes(evidence: Evidence, rows: pd.DataFrame) -> list[list[float]]:
    """Return of how many images the networks of each row were trained and validated."""
    by = ["fraction"] if "fraction" in rows else ["task"]
    means = evidence.runs.groupby(by)[["n_train", "n_val"]].mean().reset_index()
    found = rows[by].merge(means, on=by, how="left")
    return found[["n_train", "n_val"]].to_numpy(np.float64).tolist()


def _both_skilled(evidence: Evidence, table: pd.DataFrame) -> pd.DataFrame:
    """Return pairs with `skilled`: whether both sources are; "" where there is no telling."""
    a, b = (with_skill(evidence, table, name)["skilled"] for name in ("source_a", "source_b"))
    both = np.where((a == "no") | (b == "no"), "no", "misled")
    both = np.where((a == "yes") & (b == "yes"), "yes", both)
    both = np.where((a == "") | (b == ""), "", both)
    table.insert(list(table).index("folds_a"), "skilled", both)
    return table


def _count(cells: Cells) -> list[int]:
    return [int(each) for each in (~np.isnan(cells.values)).sum(1)]


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
