"""The paper's Figure 3: AUROC over p_art, out of distribution above, in distribution below."""

from math import ceil

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure, SubFigure

from sourcebench.evaluation.aggregate import Tables
from sourcebench.figures.parts.curves import aurocs, cells_on, curves_legend, panel, share_ticks
from sourcebench.figures.parts.layout import SHARE, heading, message
from sourcebench.figures.parts.overlay import overlay, overlay_label, published_in
from sourcebench.figures.parts.style import RC, StudyStyle

ROWS = {"ood": "o.o.d. AUROC", "iid": "i.i.d. AUROC"}
PUBLISHED = "published"
MOST_COLUMNS = 6
PANEL = 1.75  # inches


@rc_context(RC)
def figure3(tables: Tables, style: StudyStyle) -> Figure:
    """Draw the AUROC of every source against p_art: the paper's Figure 3.

    One column per task and confounder; the o.o.d. test set above, the i.i.d. one below, to the
    same scale. Mean and 95 % confidence interval over patients and folds. Several architectures (or
    values of a further axis) stand under each other; more than six columns are broken into equal
    rows. Where the paper's numbers can be compared, a third row does so, in their metric.
    """
    cells = cells_on(tables, *ROWS)
    table = aurocs(cells)
    if table.empty:
        return message("No run has an AUROC on an i.i.d. or o.o.d. test set.")
    style = style.covering(tables["runs"])
    targets = style.targets_in(table)
    lines = ceil(len(targets) / MOST_COLUMNS)
    width = ceil(len(targets) / lines)
    bands = [
        (label, part, targets[start : start + width])
        for label, part in style.variants_in(cells)
        for start in range(0, len(targets), width)
    ]
    limits = _limits(table)
    scales = [limits | _published(part, style, chunk) for _, part, chunk in bands]
    tall = [PANEL * sum(high - low for low, high in each.values()) + 0.95 for each in scales]
    size = (max(PANEL * width + 0.7, 4.2), sum(tall) + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    figures = figure.subfigures(len(bands), 1, squeeze=False, height_ratios=tall)[:, 0]
    several = len(style.variants_in(cells)) > 1
    for place, scale, (label, part, chunk) in zip(figures, scales, bands, strict=True):
        _band(place, part, style, chunk, width, scale)
        if several:
            place.suptitle(label, x=0.01, ha="left", fontweight="bold", fontsize=9)
    curves_legend(figure, cells, style, targets)
    return figure


def _limits(table: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Return the y limits of the rows there are: o.o.d. all of [0, 1], i.i.d. what it needs."""
    there = [name for name in ROWS if (table["test_set"] == name).any()]
    lowest = table.loc[table["test_set"] == "iid", ["mean", "low"]].min().min()
    floor = {"ood": 0.0, "iid": float(np.clip(np.floor(lowest * 10 - 0.5) / 10, 0, 0.4))}
    return {name: (floor[name] - 0.03, 1.03) for name in there}


def _published(
    cells: pd.DataFrame, style: StudyStyle, targets: list[tuple[str, str]]
) -> dict[str, tuple[float, float]]:
    """Return the y limits of the row with published curves; {} where there are none."""
    shown = {(curve["task"], curve["confounder"]) for curve in published_in(cells, style)}
    return {PUBLISHED: (-0.03, 1.03)} if shown & set(targets) else {}


def _band(
    place: SubFigure,
    cells: pd.DataFrame,
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
        here = cells[(cells["task"] == task) & (cells["confounder"] == confounder)]
        for row, (test_set, limit) in enumerate(limits.items()):
            axis = grid[row, column]
            axis.set_ylim(limit)
            if test_set == PUBLISHED:
                overlay(axis, here, style)
                continue
            axis.set_ylabel(ROWS[test_set] if column == 0 else "")
            panel(axis, here[here["test_set"] == test_set], style, style.references.get(task))
        share_ticks(grid[-1, column], np.sort(cells["p_art"].unique()))
        lowest = max(row for row in range(len(limits)) if grid[row, column].axison)
        grid[lowest, column].tick_params(labelbottom=True)
    if PUBLISHED in limits:
        first = next(axis for axis in grid[-1] if axis.axison)
        first.set_ylabel(overlay_label(cells, style))
        first.tick_params(labelleft=True)
    place.supxlabel(SHARE, fontsize=8)
