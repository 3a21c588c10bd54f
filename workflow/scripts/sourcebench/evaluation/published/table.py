"""Published numbers and statements, one by one, against a study's: do they agree?

Intervals of differences are made of those of their means (`contrasts.contrast`), as if these were
independent. All of a study's networks for a task are tested on the same images and trained in the
same folds, so that their means go together. Where any two go together alike, with a correlation of
r, the interval of a difference of two losses is wider than it need be, by 1/√(1 − r). It need not
be so: what goes with what differs in one thing, the source or p_art, makes the interval too wide;
what goes with what differs in both makes it too narrow, and networks need only be less alike then.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from sourcebench.evaluation.contrasts import contrast
from sourcebench.evaluation.intervals import Interval
from sourcebench.evaluation.published.match import (
    ENDS,
    Cell,
    Curve,
    Effort,
    Point,
    Published,
    Trend,
)
from sourcebench.evaluation.published.ours import CELL, Cells, Runs
from sourcebench.evaluation.published.verdicts import finding, inside, same_finding, says

COLUMNS = [
    *CELL, "p_art",
    "statement", "stated", "splits",
    "published_from", "published_to",
    "from", "from_low", "from_high", "to", "to_low", "to_high",
    "published", "ours", "low", "high", "published_p", "p",
    "agrees", "inside", "skilled",
]  # fmt: skip
ALL = "all"
"""Stands for the axes that a statement is not about."""


def published_table(
    summary: pd.DataFrame, runs: pd.DataFrame, published: Published
) -> pd.DataFrame:
    """Compare what a paper published with a study, statement by statement.

    Args:
        summary: one row per cell and metric, as `statistics.summary` has them. Where a study has
            further axes, only cells at their defaults (everything fine-tuned, all patients) count.
        runs: one row per run and test set, as runs.csv has them; likewise.
        published: what it can be compared with, see `match.matching`.

    Returns:
        The columns `COLUMNS`. First one row per published curve: `statement` is what it does
        ('falls', 'rises' or 'stays'), `published_from, published_to` its means at the first and
        the last p_art, `from…` and `to…` the study's with their intervals, `published` and `ours`
        the change from one to the other, `low, high` the interval of ours (`contrasts.contrast`).
        Then one row per p_art of which folds are published: `published` and `ours` are the means,
        `published_p` and `p` those of the permutation test against another source, `statement`
        what it found. Then one per trend, of which `published` and `ours` are by how much it is so:
        of losses ('loses less than …', 'loses as much as …'), of levels ('scores …', over several
        p_art their mean) and of epochs ('trains longer than …'). `agrees` and `inside`, which asks
        whether published means are in our intervals, are as in `verdicts`; `skilled` is the worst
        of the sides'.
    """
    if not any(published.values()):
        return pd.DataFrame(columns=COLUMNS)
    cells, trained = Cells(summary), Runs(runs)
    rows = [
        *(_curve(cells, curve) for curve in published["curves"]),
        *(_point(cells, trained, point) for point in published["points"]),
        *(_trend(cells, trend) for trend in published["trends"]),
        *(_effort(trained, effort) for effort in published["efforts"]),
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _curve(cells: Cells, curve: Curve) -> dict[str, Any]:
    """Return the row of a published curve."""
    (first, before, off), *_, (last, after, off_too) = curve["means"]
    start, end = cells.at(curve, first), cells.at(curve, last)
    change, slack = after - before, off + off_too
    ours = contrast([end, start], [1, -1])
    statement = "stays" if abs(change) <= slack + 1e-9 else "falls" if change < 0 else "rises"
    skilled = cells.skilled(curve)
    told = [(cells.at(curve, p_art), mean, accuracy) for p_art, mean, accuracy in curve["means"]]
    return {
        **_head(curve, statement),
        "published_from": before,
        "published_to": after,
        **dict(zip(("from", "from_low", "from_high"), start, strict=True)),
        **dict(zip(("to", "to_low", "to_high"), end, strict=True)),
        **_compared(change, ours),
        "agrees": says(statement, ours, slack, skilled),
        "inside": inside(told),
        "skilled": skilled,
    }


def _point(cells: Cells, runs: Runs, point: Point) -> dict[str, Any]:
    """Return the row of a published mean and permutation test."""
    ours, than = cells.at(point, point["p_art"]), point["than"]
    told = {"agrees": "", "skilled": cells.skilled(point)}
    if than is not None:
        test = runs.test(point, than, point["p_art"])
        told = {"agrees": same_finding(point, test), "skilled": cells.skilled(point, than)}
    return {
        **_head(point, finding(point)),
        "p_art": point["p_art"],
        **_compared(point["mean"], ours),
        "published_p": point["p"],
        "p": np.nan if than is None else test.p,
        "inside": inside([(ours, point["mean"], point["accuracy"])]),
        **told,
    }


def _trend(cells: Cells, trend: Trend) -> dict[str, Any]:
    """Return the row of a trend."""
    than, p_art = trend["than"], trend["p_art"]
    ours = BY[trend["claim"].split()[0]](cells, trend)
    other_source = than["source"] != trend["source"]
    named = than["source"] if other_source else f"with {than['confounder']}"
    word = "as" if trend["claim"].endswith("as much") else "than"
    span = " on average" if len(p_art) > 1 and tuple(p_art) != ENDS else ""
    published = np.nan if trend["published"] is None else trend["published"]
    skilled = cells.skilled(trend, than)
    return {
        **_head(trend, f"{trend['claim']} {word} {named}{span}"),
        "p_art": p_art[0] if len(p_art) == 1 else np.nan,
        **_compared(published, ours),
        "agrees": says(trend["claim"], ours, trend["margin"], skilled),
        "inside": "",
        "skilled": skilled,
    }


def _effort(runs: Runs, effort: Effort) -> dict[str, Any]:
    """Return the row of what is said of epochs."""
    ours = runs.epochs(effort["pairs"])
    named = {**dict.fromkeys(CELL, ALL), "source": effort["source"], "metric": "epochs"}
    return {
        **named,
        "statement": f"trains longer than {effort['against']}",
        "stated": effort["stated"],
        "splits": "",
        **_compared(effort["published"], ours),
        "agrees": says("trains longer", ours, 0, ""),
        "inside": "",
        "skilled": "",
    }


def _less_lost(cells: Cells, trend: Trend) -> Interval:
    """Return what the other loses between the ends, less what this one does."""
    losses = [cells.at(cell, p_art) for cell in (trend["than"], trend) for p_art in trend["p_art"]]
    return contrast(losses, [1, -1, -1, 1])


def _more_scored(cells: Cells, trend: Trend) -> Interval:
    """Return what this one scores less what the other does: the mean over all p_art.

    Its bounds are the means of theirs: a standard error of a mean is at most the mean of the
    standard errors, however the differences at several p_art go together.
    """
    sides: list[Cell] = [trend, trend["than"]]
    parts = [contrast([cells.at(each, p) for each in sides], [1, -1]) for p in trend["p_art"]]
    return Interval(*(float(np.mean(each)) for each in zip(*parts, strict=True)))


BY: dict[str, Callable[[Cells, Trend], Interval]] = {"loses": _less_lost, "scores": _more_scored}
"""By how much a trend's claim is so."""


def _head(row: Curve | Point | Trend, statement: str) -> dict[str, Any]:
    where: dict[str, Any] = {**row}
    named = {name: where[name] for name in (*CELL, "stated", "splits")}
    return {**named, "statement": statement}


def _compared(published: float, ours: Interval) -> dict[str, float]:
    return {
        "published": round(published, 6),
        **dict(zip(("ours", "low", "high"), ours, strict=True)),
    }
