"""How well each confidence score tells failures, by kind of shift: what a benchmark of them says.

Bungert et al. (MICCAI 2023), Table 1: the area under the risk–coverage curve (AURC) of each score
on the test images as they are, and the mean over all test sets of each kind of shift.
"""

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
import pandas as pd

from sourcebench.evaluation.intervals import bounds
from sourcebench.evaluation.replicates import AGAIN, unit

METRICS = ["aurc", "augrc", "failure_auroc", "coverage", "silent_share"]
RESULTS = [
    "test_sets", "runs", "n", "failures", "aurc", "aurc_low", "aurc_high", "augrc",
    "failure_auroc", "coverage", "silent_share", "silent_share_low", "silent_share_high", "rank",
    "mean_rank",
]  # fmt: skip
DIGITS = 12
"""Means that agree so far are ties: of two classes some scores rank alike, but for rounding."""
CONFOUNDED = "confounder"
DRAWN = ("iid", CONFOUNDED, "corruption")
"""Kinds of test sets of a task's own images; those of all other kinds are held out of training."""


def silent_failures(
    confidence: pd.DataFrame, groups: Mapping[str, str] | None = None
) -> pd.DataFrame:
    """Describe every confidence score on every kind of shift.

    Numbers are means over the test sets of the kind, every corruption at every level being one,
    then over the replicates (folds, of which repeats are averaged first; repeats of one fold). Of
    the kind `confounder` the o.o.d. test set counts alone.

    The interval of the AURC is over patients and replicates: the distances of its bounds from the
    mean are those over patients, averaged over test sets and networks, and Student's over
    replicates, as the sides of a right angle (Zou & Donner 2008). The first are those of errors
    that go all together, for test sets may share their patients: it is rather too wide. A single
    replicate has those over patients alone. That of `silent_share` is over replicates alone.

    Args:
        confidence: the rows of confidence.csv.
        groups: task → what it is counted with, and called. Where some tasks of a group hold images
            out and others don't, the latter alone say how it is on images that are not held out.

    Returns:
        One row per cell (all axes but fold and repeat), `shift` and `score`: `test_sets` and `runs`
        (how many), `n` (images of all the test sets), `failures` (of them, mean over networks),
        `aurc, aurc_low, aurc_high, augrc, failure_auroc`, `coverage` (share of images that are
        kept at the score's threshold), `silent_share` (share of the failures that are) with its
        bounds, `rank` (of the AURC among the scores, 1 the best, the mean of ties), `mean_rank`
        (see `mean_ranks`; at each p_art). Shares in [0, 1]; NaN where there is no telling.
    """
    keys = [*axes_of(confidence), "shift", "score"]
    if confidence.empty:
        return pd.DataFrame(columns=[*keys, *RESULTS])
    rows = _grouped(confidence, groups or {})
    rows = rows[(rows["shift"] != CONFOUNDED) | (rows["test_set"] == "ood")]
    failures = rows["silent"] + rows["detected"]
    rows = rows.assign(
        silent_share=rows["silent"] / failures.where(failures > 0),
        below=rows["aurc"] - rows["aurc_low"], above=rows["aurc_high"] - rows["aurc"],
    )  # fmt: skip
    kind = unit(rows[rows["fold"] > 0])  # an ensemble is of no fold
    again = rows.groupby([*keys, kind], sort=False)[METRICS].mean().groupby(keys, sort=False)
    cells = rows.groupby(keys, sort=False)
    means, patients = again.mean(), cells[["below", "above"]].mean()
    spread = {
        name: bounds(means[name], again[name].std(), again[name].count())
        for name in ("aurc", "silent_share")
    }
    means["aurc_low"], means["aurc_high"] = _together(means["aurc"], spread["aurc"], patients)
    means["silent_share_low"], means["silent_share_high"] = spread["silent_share"]
    sets = rows.groupby([*keys, "network", "test_set"], sort=False)[["n", "failures"]].mean()
    means[["n", "failures"]] = sets.groupby(keys, sort=False).sum()
    means["test_sets"] = sets.groupby(keys, sort=False).size()
    networks = ["network", *(name for name in AGAIN if name in rows)]
    means["runs"] = rows.drop_duplicates([*keys, *networks]).groupby(keys, sort=False).size()
    table = means.reset_index()
    table["rank"] = table["aurc"].round(DIGITS).groupby([table[n] for n in column(table)]).rank()
    table["mean_rank"] = mean_ranks(table, ["p_art"])
    return table[[*keys, *RESULTS]]


def axes_of(table: pd.DataFrame) -> list[str]:
    """Return the axes that set the cells of a table of confidence scores apart: its first columns.

    Args:
        table: confidence.csv, risk_coverage.csv or silent_failures.csv, or rows of them.
    """
    names = list(table.columns)
    place = min(names.index(name) for name in ("test_set", "shift") if name in names)
    return [name for name in names[:place] if name not in AGAIN]


def column(table: pd.DataFrame) -> list[str]:
    """Return what sets the columns of a benchmark apart, in which scores are ranked."""
    return [name for name in axes_of(table) if name != "method"] + ["shift"]


def told_apart(table: pd.DataFrame) -> pd.Series:
    """Return the method's name, per row, where a score has several in a column; else "".

    A score of one method counts as one score over all tasks, though these may train it with
    settings of their own, under names of their own.

    Args:
        table: confidence.csv, risk_coverage.csv or silent_failures.csv, or rows of them.
    """
    if "method" not in table:
        return pd.Series("", table.index)
    places = [table[name] for name in (*column(table), "score")]
    several = table["method"].groupby(places, dropna=False).transform("nunique") > 1
    return table["method"].astype("str").where(several.groupby(table["score"]).transform("any"), "")


def mean_ranks(table: pd.DataFrame, by: Sequence[str] = ()) -> pd.Series:
    """Return the mean rank of the score of each row, over the tasks and kinds of shift.

    It is that over all columns (tasks, confounders, architectures, kinds of shift) of a source and
    of each of the further axes but the method, see `told_apart`. Columns in which not every
    score has a value do not count, since ranks among fewer are lower.

    Args:
        table: rows of silent_failures.csv.
        by: further columns that set means apart.

    Returns:
        A value per row; NaN where no column counts.
    """
    apart = ["task", "confounder", "arch", "p_art", "shift"]
    panel = [name for name in column(table) if name not in apart] + list(by)
    by_name = [table[name] for name in panel]
    many = table.groupby([*by_name, told_apart(table), table["score"]], dropna=False).ngroup()
    wanted = many.groupby([table[name] for name in panel]).transform("nunique")
    there = table["rank"].notna().groupby([table[name] for name in column(table)]).transform("sum")
    ranks = table["rank"].where(there == wanted)
    found: pd.Series = ranks.groupby(many).transform("mean")
    return found


def _grouped(confidence: pd.DataFrame, groups: Mapping[str, str]) -> pd.DataFrame:
    """Return the rows that count, with the group as `task` and the task as `network`."""
    rows = confidence.assign(
        network=confidence["task"], task=confidence["task"].map(lambda name: groups.get(name, name))
    )
    held_out = ~rows["shift"].isin(DRAWN)
    holding = held_out.groupby(rows["network"]).transform("any")
    whole = (~holding).groupby(rows["task"]).transform("any")
    return rows[held_out | ~holding | ~whole]


def _together(
    mean: pd.Series, spread: Sequence[npt.NDArray[np.float64]], patients: pd.DataFrame
) -> tuple[pd.Series, pd.Series]:
    """Return bounds of shares whose distances are those of two sources of error in one."""
    below = np.hypot(np.nan_to_num(mean - spread[0]), patients["below"])
    above = np.hypot(np.nan_to_num(spread[1] - mean), patients["above"])
    return (mean - below).clip(lower=0), (mean + above).clip(upper=1)
