"""What a study found, in one place: `summary.json`, which the report's first page is made from.

Its answer to the question "which source is more robust?" is, of each pair of sources, the mean over
all confounders of what one pays more than the other at the highest p_art. Confounders of one task
share images and the networks of p_art = 0, so that their standard errors are averaged, as if they
were one and the same; tasks are taken to share nothing, and their variances add.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from sourcebench.evaluation.aggregate import Tables
from sourcebench.evaluation.bootstrap import Estimate
from sourcebench.evaluation.comparisons import holm
from sourcebench.evaluation.power import detectable

LEVEL = 0.05
DIFFERENCES = (-2.0, 2.0)
"""Between which a difference of two drops lies."""


def headline(study: str, tables: Tables, titles: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    """Return what a study found, as `summary.schema.yaml` says.

    Args:
        study: its name.
        tables: all of its tables.
        titles: kind ("sources", "confounders", "tasks", "archs") → name → title.
    """
    runs, audit = tables["runs"], tables["split_audit"]
    axes = [name for name in runs if name in ("task", "confounder", "source", "arch", "transfer")]
    p_art = float(runs["p_art"].max())
    return {
        "study": study,
        "titles": {kind: dict(names) for kind, names in titles.items()},
        "p_art": p_art,
        "networks": int(tables["epochs"]["networks"].sum()),
        "hours": float(tables["epochs"]["hours"].sum()),
        "axes": {name: sorted(runs[name].unique()) for name in axes},
        "test_images": {
            str(task): int(rows["n"].max()) for task, rows in runs.groupby("task", sort=False)
        },
        "answers": answers(tables["comparisons"], titles.get("sources", {})),
        "cells": _cells(tables),
        "published": _counted(tables["published"]["agrees"]),
        "leaks": int((audit["leaked"] > 0).sum()),
    }


def answers(comparisons: pd.DataFrame, titles: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return of each pair of sources which pays more for shortcuts, and how sure that is.

    Args:
        comparisons: comparisons.csv.
        titles: source → title.

    Returns:
        One item per pair and architecture (and further axes): their names, `targets` (how many
        confounders of tasks, of those for which both have skill), `difference` (mean over them of
        the drop of a less that of b at the highest p_art), `low, high, p, p_holm` (adjusted over
        all answers of the study, by which the sentence judges), `detectable` (at the level of the
        first step of that), and `sentence`. Pairs without such a target have numbers that are null.
    """
    drops = comparisons[comparisons["of"] == "drop"]
    if drops.empty:
        return []
    place = ["task", "confounder"]
    known = {*place, "p_art", "test_set", "of"}
    end = list(comparisons).index("mean_a")
    pair = [str(name) for name in list(comparisons)[:end] if name not in known]
    top = drops[drops["p_art"] == drops.groupby([*pair, *place])["p_art"].transform("max")]
    groups = [
        (key, rows[(rows["skilled"] == "yes") & rows["se"].notna()])
        for key, rows in top.groupby(pair, sort=False)
    ]
    count = sum(not rows.empty for _, rows in groups)
    found = [
        {**dict(zip(pair, map(str, key), strict=True)), **_answer(rows, count)}
        for key, rows in groups
    ]
    ps = [np.nan if each["p"] is None else each["p"] for each in found]
    for each, p in zip(found, holm(ps), strict=True):
        each["p_holm"] = None if np.isnan(p) else float(p)
        a, b = (titles.get(each[name], each[name]) for name in ("source_a", "source_b"))
        each["sentence"] = _sentence(each, a, b, count)
    return found


def _answer(there: pd.DataFrame, answers: int) -> dict[str, Any]:
    """Return the numbers of an answer, one of so many, from the rows of its targets."""
    count = len(there)
    if not count:
        return {"targets": 0, **dict.fromkeys(("difference", "low", "high", "p", "detectable"))}
    by_task = there.groupby("task")["se"].sum() / count
    se, freedom = float(np.sqrt((by_task**2).sum())), float(there["freedom"].min())
    mean = float(there["difference"].mean())
    nothing = np.zeros(1)
    found = Estimate(np.array([mean]), np.array([se]), np.array([freedom]), nothing, 1)
    (low,), (high,) = found.interval(DIFFERENCES)
    # By Holm's first step: that of them which is the surest.
    could = float(detectable(se, freedom, LEVEL / answers, limits=DIFFERENCES))
    return {
        "targets": count,
        "difference": mean,
        "low": float(low),
        "high": float(high),
        "p": float(found.p(DIFFERENCES)[0]),
        "detectable": None if np.isnan(could) else could,
    }


def _sentence(answer: Mapping[str, Any], a: str, b: str, answers: int) -> str:
    """Return the answer, one of so many, in words."""
    count, mean, p, could = (answer[name] for name in ("targets", "difference", "p", "detectable"))
    if not count:
        return f"Whether {a} or {b} pays more can't be said: nowhere are both known to have skill."
    over = "one confounder of a task" if count == 1 else f"{count} confounders of tasks"
    sure = f"95 % interval {answer['low']:+.2f} to {answer['high']:+.2f}"
    sure += f", p {_small(p)}"
    if answers > 1:
        sure += f", after Holm's correction for {answers} answers {_small(answer['p_holm'])}"
    if answer["p_holm"] <= LEVEL:
        more, less = (a, b) if mean > 0 else (b, a)
        paid = f"networks from {more} lose {abs(mean):.2f} more o.o.d. AUROC than those from {less}"
        return f"Over {over}, {paid} ({a} less {b}: {sure})."
    none = f"no difference is found between {a} and {b} in the o.o.d. AUROC that they lose"
    found = f"one of {could:.2f} would be, four times in five" if could else "none could be"
    return f"Over {over}, {none} ({mean:+.2f}, {sure}); {found}."


def _small(p: float) -> str:
    return "< 0.001" if p < 0.001 else f"= {p:.3f}"


def _cells(tables: Tables) -> list[dict[str, Any]]:
    """Return every cell at its highest p_art: the three answers, the rank by area."""
    table, ranked = tables["encoded_used_paid"], tables["leaderboard"]
    if table.empty:
        return []
    keys = list(table)[: list(table).index("p_art")]
    further = [name for name in ("transfer", "fraction") if name in table]
    keys = [*keys, *further]
    top = table[table["p_art"] == table.groupby(keys)["p_art"].transform("max")]
    area = ranked[ranked["score"] == "area"].rename(
        columns={"value": "area", "low": "area_low", "high": "area_high"}
    )
    wanted = [*keys, "area", "area_low", "area_high", "rank", "rank_low", "rank_high"]
    found = top.merge(area[wanted], on=keys, how="left").drop(columns=["folds", "repeats"])
    return [
        {str(name): None if _missing(value) else value for name, value in row.items()}
        for row in found.to_dict("records")
    ]


def _missing(value: Any) -> bool:
    return isinstance(value, float) and not np.isfinite(value)


def _counted(agrees: pd.Series) -> dict[str, int]:
    return {each: int((agrees == each).sum()) for each in ("yes", "no", "unclear")}
