"""Published numbers and statements, one by one, against a study's: do they agree?"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from sourcebench.axes import FURTHER
from sourcebench.evaluation.contrasts import contrast
from sourcebench.evaluation.intervals import Interval
from sourcebench.evaluation.published.match import Cell, Curve, Published, Trend

CELL = list(Cell.__annotations__)
COLUMNS = [
    *CELL,
    "statement", "stated", "splits",
    "published_from", "published_to",
    "from", "from_low", "from_high", "to", "to_low", "to_high",
    "published", "ours", "low", "high",
    "agrees", "inside",
]  # fmt: skip
NOTHING = Interval(np.nan, np.nan, np.nan)


def published_table(summary: pd.DataFrame, published: Published) -> pd.DataFrame:
    """Compare what a paper published with a study, statement by statement.

    Args:
        summary: one row per cell and metric, as `statistics.summary` has them. Where a study has
            further axes, only cells at their defaults (everything fine-tuned, all patients) count.
        published: what it can be compared with, see `match.matching`.

    Returns:
        The columns `COLUMNS`. First one row per published curve: `statement` is what it does
        ('falls', 'rises' or 'stays'), `published_from, published_to` its means at the first and
        the last p_art, `from…` and `to…` the study's with their intervals, `published` and `ours`
        the change from one to the other, `low, high` the interval of ours (`contrasts.contrast`).
        Then one row per trend: `statement` is 'loses less than …' or 'loses as much as …', and
        `published` and `ours` are by how much less. `agrees` is 'yes' where all of our interval
        says the same, 'no' where none of it does, else 'unclear'. `inside` says whether all
        published means of a curve are in the study's intervals, widened by what the published
        ones may be off ('yes', 'no'; '' without an interval, and of a trend).
    """
    cells = Cells(summary)
    rows = [
        *(_curve(cells, curve) for curve in published["curves"]),
        *(_trend(cells, trend) for trend in published["trends"]),
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def at_defaults(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that are like the runs of a study without further axes."""
    for axis in FURTHER:
        if axis.name in table and not axis.again:
            table = table[table[axis.name] == axis.default]
    return table


class Cells:
    """The means of a study's cells, by cell and p_art.

    Args:
        summary: see `published_table`.
    """

    def __init__(self, summary: pd.DataFrame) -> None:
        kept = at_defaults(summary)
        keys = kept[[*CELL, "p_art"]].itertuples(index=False, name=None)
        values = kept[["mean", "low", "high"]].itertuples(index=False, name=None)
        self._known = {key: Interval(*each) for key, each in zip(keys, values, strict=True)}

    def at(self, cell: Cell, p_art: float) -> Interval:
        """Return a cell's mean and interval; NaN where there is none."""
        where: dict[str, Any] = {**cell}
        return self._known.get((*(where[name] for name in CELL), p_art), NOTHING)


def _curve(cells: Cells, curve: Curve) -> dict[str, Any]:
    """Return the row of a published curve."""
    (first, before), *_, (last, after) = curve["means"]
    start, end = cells.at(curve, first), cells.at(curve, last)
    change, slack = after - before, 2 * curve["accuracy"]
    ours = contrast([end, start], [1, -1])
    statement = "stays" if abs(change) <= slack + 1e-9 else "falls" if change < 0 else "rises"
    told = [(cells.at(curve, p_art), mean) for p_art, mean in curve["means"]]
    return {
        **_head(curve, statement),
        "published_from": before,
        "published_to": after,
        **dict(zip(("from", "from_low", "from_high"), start, strict=True)),
        **dict(zip(("to", "to_low", "to_high"), end, strict=True)),
        **_compared(change, ours),
        "agrees": SAYS[statement](ours, slack),
        "inside": _inside(told, curve["accuracy"]),
    }


def _trend(cells: Cells, trend: Trend) -> dict[str, Any]:
    """Return the row of a trend: what the other loses, less what this one does."""
    than, word = trend["than"], {"less": "less than", "as much": "as much as"}[trend["loses"]]
    other_source = than["source"] != trend["source"]
    named = than["source"] if other_source else f"with {than['confounder']}"
    losses = [cells.at(cell, p_art) for cell in (than, trend) for p_art in (0.0, 1.0)]
    ours = contrast(losses, [1, -1, -1, 1])
    published = np.nan if trend["published"] is None else trend["published"]
    return {
        **_head(trend, f"loses {word} {named}"),
        **_compared(published, ours),
        "agrees": SAYS[trend["loses"]](ours, trend["margin"]),
        "inside": "",
    }


def _head(row: Curve | Trend, statement: str) -> dict[str, Any]:
    where: dict[str, Any] = {**row}
    named = {name: where[name] for name in (*CELL, "stated", "splits")}
    return {**named, "statement": statement}


def _compared(published: float, ours: Interval) -> dict[str, float]:
    return {
        "published": round(published, 6),
        **dict(zip(("ours", "low", "high"), ours, strict=True)),
    }


def _over(ours: Interval, _: float) -> str:
    return "yes" if ours.low > 0 else "no" if ours.high < 0 else "unclear"


def _under(ours: Interval, _: float) -> str:
    return "yes" if ours.high < 0 else "no" if ours.low > 0 else "unclear"


def _near(ours: Interval, margin: float) -> str:
    """Tell whether a difference is within the margin, whole interval and all."""
    if -margin <= ours.low and ours.high <= margin:
        return "yes"
    return "no" if ours.low > margin or ours.high < -margin else "unclear"


SAYS: dict[str, Callable[[Interval, float], str]] = {
    "falls": _under, "rises": _over, "stays": _near, "less": _over, "as much": _near,
}  # fmt: skip
"""What a statement says of our difference: 'yes', 'no', or 'unclear' as without an interval."""


def _inside(told: list[tuple[Interval, float]], accuracy: float) -> str:
    if any(np.isnan(ours.low) for ours, _ in told):
        return ""
    wide = accuracy + 1e-9
    return "yes" if all(o.low - wide <= mean <= o.high + wide for o, mean in told) else "no"
