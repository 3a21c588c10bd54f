"""The paper's Figure 3: AUROC over p_art, out of distribution above, in distribution below."""

from math import ceil

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure, SubFigure

from sourcebench.evaluation.aggregate import Tables
from sourcebench.figures.parts.curves import aurocs, curves_legend, panel, share_ticks
from sourcebench.figures.parts.layout import SHARE, heading, message
from sourcebench.figures.parts.style import RC, StudyStyle

ROWS = {"ood": "o.o.d. AUROC", "iid": "i.i.d. AUROC"}
MOST_COLUMNS = 6
PANEL = 1.75  # inches


@rc_context(RC)
def figure3(tables: Tables, style: StudyStyle) -> Figure:
    """Draw the AUROC of every source against p_art: the paper's Figure 3.

    One column per task and confounder; the o.o.d. test set above, the i.i.d. one below, to the
    same scale. Mean and 95 % confidence interval over patients and folds. Several architectures (or
    values of a further axis) stand under each other; more than six columns are broken into equal
    rows.
    """
    table = aurocs(tables, *ROWS)
    if table.empty:
        return message("No run has an AUROC on an i.i.d. or o.o.d. test set.")
    style = style.covering(tables["runs"])
    targets = style.targets_in(table)
    lines = ceil(len(targets) / MOST_COLUMNS)
    width = ceil(len(targets) / lines)
    bands = [
        (label, part, targets[start : start + width])
        for label, part in style.variants_in(table)
        for start in range(0, len(targets), width)
    ]
    limits = _limits(table)
    tall = sum(high - low for low, high in limits.values())
    size = (max(PANEL * width + 0.7, 4.2), len(bands) * (PANEL * tall + 0.95) + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    figures = figure.subfigures(len(bands), 1, squeeze=False)[:, 0]
    several = len(style.variants_in(table)) > 1
    for place, (label, part, chunk) in zip(figures, bands, strict=True):
        _band(place, part, style, chunk, width, limits)
        if several:
            place.suptitle(label, x=0.01, ha="left", fontweight="bold", fontsize=9)
    curves_legend(figure, table, style, targets)
    return figure


def _limits(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Return the y limits of the rows there are: o.o.d. all of [0, 1], i.i.d. what it needs."""
    there = [name for name in ROWS if (table["test_set"] == name).any()]
    lowest = table.loc[table["test_set"] == "iid", ["mean", "low"]].min().min()
    floor = {"ood": 0.0, "iid": float(np.clip(np.floor(lowest * 10 - 0.5) / 10, 0, 0.4))}
    return {name: (floor[name] - 0.03, 1.03) for name in there}


def _band(
    place: SubFigure,
    table: pd.DataFrame,
    style: StudyStyle,
    targets: list[tuple[str, str]],
    width: int,
    limits: dict[str, tuple[float, float]],
) -> None:
    """Draw one row of columns."""
    heights = [high - low for low, high in limits.values()]
    grid = place.subplots(
        len(limits), width, sharex=True, sharey="row", squeeze=False, height_ratios=heights
    )
    for axis in grid[:, len(targets) :].flat:
        axis.set_axis_off()
    for column, (task, confounder) in enumerate(targets):
        heading(grid[0, column], style.confounders[confounder], style.tasks[task], PANEL)
        here = table[(table["task"] == task) & (table["confounder"] == confounder)]
        for row, (test_set, limit) in enumerate(limits.items()):
            axis = grid[row, column]
            axis.set_ylim(limit)
            axis.set_ylabel(ROWS[test_set] if column == 0 else "")
            panel(axis, here[here["test_set"] == test_set], style, style.references.get(task))
        share_ticks(grid[-1, column], np.sort(table["p_art"].unique()))
    place.supxlabel(SHARE, fontsize=8)
