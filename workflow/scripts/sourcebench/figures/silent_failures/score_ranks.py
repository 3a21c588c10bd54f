"""Ranks of the scores: which one is ahead under which kind of shift, and how reliably."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sourcebench.evaluation.aggregate import Tables
from sourcebench.figures.parts.layout import heading, message, text_width, wrapped
from sourcebench.figures.parts.style import FAINT, INK, PALETTE, RC, StudyStyle
from sourcebench.figures.silent_failures.scores import (
    NEEDED,
    called_in,
    highest,
    kind_title,
    kinds_in,
    named,
    share_note,
)

OVERALL = "all"
WIDE, LINE = 1.15, 0.22  # of a panel and of a score; inches
DOT = PALETTE[0]


@rc_context(RC)
def score_ranks(tables: Tables, style: StudyStyle) -> Figure:
    """Draw the rank of every score, by kind of shift and over all, the best on top.

    A faint dot for each task (confounder, source, architecture), the mean large; the line goes
    from the lower to the upper quartile. At the highest p_art.
    """
    table = tables["silent_failures"]
    if not table.empty:
        table = table.dropna(subset="rank")
    if table.empty:
        return message(NEEDED)
    table = named(highest(table), style.covering(table))
    kinds = [*kinds_in(table["shift"]), OVERALL]
    means = table.groupby("called", observed=True)["rank"].mean()
    names = sorted(called_in(table), key=lambda name: means[name])
    most = table["rank"].max()
    side = max(text_width(name, 8) for name in names)
    size = (max(WIDE * len(kinds) + side + 0.2, 4.2), LINE * len(names) + 1.35)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(1, len(kinds), squeeze=False, sharex=True, sharey=True)[0]
    for axis, kind in zip(grid, kinds, strict=True):
        rows = table if kind == OVERALL else table[table["shift"] == kind]
        each = [name for name in ("task", "confounder", "source", "arch", "shift") if name in rows]
        count = len(rows.drop_duplicates(each))
        heading(axis, kind_title(kind), f"{count} ranking{'s' if count > 1 else ''}")
        _panel(axis, rows, names)
        axis.set_xlim(0.4, 1.25 * most + 0.8)  # the numbers stand beside the dots
        axis.set_xticks(sorted({1, round((1 + most) / 2), round(most)}))
    grid[0].set_yticks(range(len(names)), names)
    grid[0].set_ylim(len(names) - 0.4, -0.6)
    figure.supxlabel("rank by AURC: 1 is best", fontsize=8)
    notes = [
        "faint: a task (and source) each; large: mean; line: the middle half of them",
        *share_note(table),
    ]
    figure.suptitle(wrapped("; ".join(notes), size[0] - 0.3, 7), fontsize=7)
    return figure


def _panel(axis: Axes, rows: pd.DataFrame, names: list[str]) -> None:
    """Draw one panel's ranks, those that are alike beside each other."""
    for line, name in enumerate(names):
        ranks = np.sort(rows.loc[rows["called"] == name, "rank"].to_numpy(np.float64))
        axis.axhline(line, color=FAINT, linewidth=0.3, alpha=0.5, zorder=0)
        if not len(ranks):
            continue
        alike = np.arange(len(ranks)) - np.searchsorted(ranks, ranks)
        count = np.searchsorted(ranks, ranks, "right") - np.searchsorted(ranks, ranks)
        aside = np.where(count > 1, 0.5 * (alike / np.maximum(count - 1, 1) - 0.5), 0)
        axis.plot(ranks, line + aside, "o", color=DOT, alpha=0.3, markersize=3, markeredgewidth=0)
        low, high = np.quantile(ranks, [0.25, 0.75])
        if len(ranks) > 1:
            axis.plot([low, high], [line, line], color=DOT, linewidth=1.4)
        axis.plot(ranks.mean(), line, "o", color=DOT, markersize=5.5, markeredgecolor="white")
        beside: dict[str, Any] = {
            "xycoords": ("axes fraction", "data"),
            "va": "center",
            "ha": "right",
        }
        axis.annotate(f"{ranks.mean():.1f}", (1.0, line), size=6.5, color=INK, **beside)
    axis.tick_params("y", length=0)
