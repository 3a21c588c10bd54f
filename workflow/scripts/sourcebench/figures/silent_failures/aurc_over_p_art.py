"""Does a shortcut fail silently, and does that depend on the source? AURC over p_art."""

from math import ceil

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sourcebench.evaluation.aggregate import Tables
from sourcebench.evaluation.silent_failures import CONFOUNDED
from sourcebench.figures.parts.curves import share_ticks
from sourcebench.figures.parts.layout import (
    SHARE,
    heading,
    legend_on_top,
    message,
    source_handles,
    source_look,
)
from sourcebench.figures.parts.style import INK, RC, StudyStyle
from sourcebench.figures.silent_failures.scores import (
    baseline,
    called_in,
    named,
    over,
    targets_of,
    variants_of,
)

ROWS = {
    (CONFOUNDED, "aurc"): "o.o.d. AURC, %",
    ("iid", "aurc"): "i.i.d. AURC, %",
    (CONFOUNDED, "silent_share"): "o.o.d. failures\nthat are silent, %",
}
MOST_COLUMNS = 5
WIDE, TALL = 1.6, 1.25  # inches


@rc_context(RC)
def aurc_over_p_art(tables: Tables, style: StudyStyle) -> Figure:
    """Draw the AURC o.o.d. and i.i.d., and the share of silent failures, against p_art.

    A column of panels per task and confounder (architecture, value of a further axis), a line per
    source. Thick lines with their 95 % intervals are of MSR (of the first score, where there is no
    MSR), thin ones of the other scores.
    """
    table = tables["silent_failures"]
    if not table.empty:
        table = table[(table["shift"] == CONFOUNDED) | (table["shift"] == "iid")]
        known = table.loc[table["shift"] == CONFOUNDED, ["task", "confounder"]].drop_duplicates()
        table = table.merge(known, on=["task", "confounder"]).dropna(subset="aurc")
    if table.empty:
        return message("Needs confidence scores of networks with a confounder.")
    style = style.covering(table)
    table = named(table, style)
    columns = _columns(table, style)
    lines = ceil(len(columns) / MOST_COLUMNS)
    width = ceil(len(columns) / lines)
    size = (max(WIDE * width + 0.7, 4.4), lines * (TALL * len(ROWS) + 0.5) + 0.9)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(lines * len(ROWS), width, squeeze=False, sharex=True, sharey="row")
    bold = baseline(table) or called_in(table)[0]
    shares = np.sort(table["p_art"].unique())
    for place in range(lines * width):
        band, column = divmod(place, width)
        axes = grid[band * len(ROWS) : (band + 1) * len(ROWS), column]
        if place >= len(columns):
            for axis in axes:
                axis.set_axis_off()
            continue
        titles, rows = columns[place]
        heading(axes[0], *titles, WIDE)
        for axis, (kind, value) in zip(axes, ROWS, strict=True):
            _panel(axis, rows[rows["shift"] == kind], value, bold, style)
            share_ticks(axis, shares)
        axes[-1].tick_params(labelbottom=True)
    for row, label in enumerate([*ROWS.values()] * lines):
        grid[row, 0].set_ylabel(label)
        grid[row, 0].set_ylim(bottom=0)
    figure.supxlabel(SHARE, fontsize=8)
    handles = source_handles(style, style.sources_in(table))
    others = len(called_in(table)) - 1
    if others:
        text = f"the other {others} scores" if others > 1 else "the other score"
        handles.append(Line2D([], [], color=INK, linewidth=0.6, alpha=0.6, label=text))
    legend_on_top(figure, handles, f"thick: {bold}; lower is better; mean over {over(table)}")
    return figure


def _columns(table: pd.DataFrame, style: StudyStyle) -> list[tuple[tuple[str, str], pd.DataFrame]]:
    """Return what stands in a column: (titles, rows of all sources)."""
    found = []
    for extras, rows in variants_of(table, table):
        for (first, second), here in targets_of(rows, style):
            found.append(((second, ", ".join([first, *extras])), here))
    return found


def _panel(axis: Axes, rows: pd.DataFrame, value: str, bold: str, style: StudyStyle) -> None:
    """Draw one panel: a line per source, and of every other score a thin one."""
    for source in style.sources_in(rows):
        colour = style.colours[source]
        for name, curve in rows[rows["source"] == source].groupby("called", observed=True):
            curve = curve.sort_values("p_art")
            x, y = curve["p_art"], 100 * curve[value]
            if name != bold:
                axis.plot(x, y, color=colour, linewidth=0.6, alpha=0.45, zorder=1)
                continue
            ends = (100 * curve[f"{value}_low"], 100 * curve[f"{value}_high"])
            axis.fill_between(x, *ends, color=colour, alpha=0.15, linewidth=0)
            axis.plot(x, y, linewidth=1.6, markersize=5, zorder=3, **source_look(style, source))
