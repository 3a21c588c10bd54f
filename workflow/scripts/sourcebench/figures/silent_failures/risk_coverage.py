"""Risk–coverage curves: how wrong a network is on the images that a score lets pass."""

from math import ceil

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sourcebench.evaluation.aggregate import Tables
from sourcebench.evaluation.silent_failures import CONFOUNDED, DRAWN
from sourcebench.figures.parts.layout import heading, message
from sourcebench.figures.parts.style import RC, StudyStyle
from sourcebench.figures.silent_failures.scores import (
    NEEDED,
    Looks,
    highest,
    kind_title,
    kinds_in,
    looks_of,
    named,
    panels_of,
    scores_legend,
    share_note,
    targets_of,
)

MOST_COLUMNS = 5
WIDE, TALL = 1.45, 1.45  # of a panel, with its heading; inches

Shown = tuple[str, str, pd.DataFrame]


@rc_context(RC)
def risk_coverage(tables: Tables, style: StudyStyle) -> Figure:
    """Draw selective risk over coverage: a panel per task and kind of shift, a line per score.

    Means over folds and repeats, and over the test sets of a kind; of tasks with a confounder at
    the highest p_art. Each source (and value of a further axis) has panels of its own.
    """
    table = tables["risk_coverage"]
    if not table.empty:
        table = table[(table["shift"] != CONFOUNDED) | (table["test_set"] == "ood")]
        table = table.dropna(subset="risk")
    if table.empty:
        return message(NEEDED)
    style = style.covering(table)
    table = named(highest(table), style)
    looks = looks_of(table)
    tasks = [
        _panels(", ".join(text for text in (*titles, panel.label) if text), rows)
        for panel in panels_of(table, style)
        for titles, rows in targets_of(panel.rows, style)
    ]
    lines = _lines(tasks)
    width = max(map(len, lines))
    rows_of_legend = ceil(len(looks) / max(int(WIDE * width / 1.1), 2))
    size = (max(WIDE * width + 0.5, 7.0), (TALL + 0.25) * len(lines) + 0.16 * rows_of_legend + 0.7)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(lines), width, squeeze=False, sharex=True)
    for axes, line in zip(grid, lines, strict=True):
        for axis in axes[len(line) :]:
            axis.set_axis_off()
        for axis, (kind, label, rows) in zip(axes, line, strict=False):
            _panel(axis, rows, looks)
            heading(axis, kind_title(kind), label, WIDE - 0.1)
    figure.supxlabel("coverage: share of the images that are kept, %", fontsize=8)
    figure.supylabel("selective risk: share of failures among them, %", fontsize=8)
    notes = share_note(table)
    if kinds := [kind for kind in kinds_in(table["shift"]) if kind not in DRAWN[:2]]:
        several = ", ".join(kind_title(kind) for kind in kinds)
        notes.append(f"mean over the test sets of {several}")
    scores_legend(figure, looks, "lower is better; mean over networks", *notes)
    return figure


def _panels(label: str, rows: pd.DataFrame) -> list[Shown]:
    """Return the panels of a task: the kind of shift, the task's title, the rows."""
    return [(kind, label, rows[rows["shift"] == kind]) for kind in kinds_in(rows["shift"])]


def _lines(tasks: list[list[Shown]]) -> list[list[Shown]]:
    """Return rows of panels; those of a task stand in one row, if they are not too many."""
    lines: list[list[Shown]] = []
    for panels in tasks:
        for start in range(0, len(panels), MOST_COLUMNS):
            part = panels[start : start + MOST_COLUMNS]
            if lines and len(lines[-1]) + len(part) <= MOST_COLUMNS:
                lines[-1] += part
            else:
                lines.append(list(part))
    return lines


def _panel(axis: Axes, rows: pd.DataFrame, looks: Looks) -> None:
    """Draw one panel's curves."""
    means = rows.groupby(["called", "coverage"], observed=True)["risk"].mean()
    for name in means.index.unique("called"):
        curve = means[name].sort_index()
        axis.plot(100 * curve.index.to_numpy(np.float64), 100 * curve, **looks[str(name)])
    axis.set(xlim=(0, 102), ylim=(0, max(axis.get_ylim()[1], 1)))
    axis.set_xticks([0, 50, 100])
    axis.tick_params(labelbottom=True)
