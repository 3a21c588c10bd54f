"""AURC over the severity of corruptions: where each score stops telling failures."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sourcebench.evaluation.aggregate import Tables
from sourcebench.figures.parts.layout import heading, message
from sourcebench.figures.parts.style import FAINT, RC, StudyStyle
from sourcebench.figures.silent_failures.scores import (
    Looks,
    highest,
    looks_of,
    named,
    panels_of,
    scores_legend,
    share_note,
    targets_of,
)

WIDE, TALL = 1.4, 1.45  # inches
CORRUPTION, NONE = "corruption", 0
Band = tuple[str, pd.DataFrame]


@rc_context(RC)
def severity_curves(tables: Tables, style: StudyStyle) -> Figure:
    """Draw the AURC of every score over the severity of each corruption.

    A row of panels per task (and source, and value of a further axis), a column per corruption;
    severity 0 is the task's i.i.d. test set. Means over folds and repeats; at the highest p_art.
    """
    table = tables["confidence"]
    if table.empty or not (table["shift"] == CORRUPTION).any():
        return message("Needs confidence scores, and shifts that corrupt the test images.")
    style = style.covering(table)
    table = named(highest(table.dropna(subset="aurc")), style)
    looks = looks_of(table)
    bands = [
        band for panel in panels_of(table, style) for band in _bands(panel.label, panel.rows, style)
    ]
    families = [*dict.fromkeys(table.loc[table["shift"] == CORRUPTION, "family"])]
    size = (max(WIDE * len(families) + 0.6, 7.0), TALL * len(bands) + 1.2)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(bands), len(families), squeeze=False, sharex="col", sharey="row")
    for line, (label, rows) in zip(grid, bands, strict=True):
        line[0].set_ylabel(label, fontsize=7)
        for axis, family in zip(line, families, strict=True):
            _panel(axis, rows, family, looks)
        top = max(each.dataLim.y1 for each in line)  # one scale for all
        line[0].set_ylim(0, 1.04 * top if top > 0 else 1)
    for axis, family in zip(grid[0], families, strict=True):
        heading(axis, family.replace("_", " "), inches=WIDE)
    figure.supxlabel("severity (0: as they are)", fontsize=8)
    figure.supylabel("AURC, %", fontsize=8)
    notes = share_note(table)
    scores_legend(figure, looks, "lower is better; mean over networks", *notes)
    return figure


def _bands(label: str, rows: pd.DataFrame, style: StudyStyle) -> list[Band]:
    """Return the rows of panels of a source: those of each task that has corruptions."""
    found = []
    for titles, here in targets_of(rows, style):
        if (here["shift"] == CORRUPTION).any():
            found.append(("\n".join(text for text in (*titles, label) if text), here))
    return found


def _panel(axis: Axes, rows: pd.DataFrame, family: str, looks: Looks) -> None:
    """Draw one corruption's curves; they start at the i.i.d. test set."""
    own = rows[(rows["shift"] == CORRUPTION) & (rows["family"] == family)]
    if own.empty:
        axis.text(0.5, 0.5, "none", transform=axis.transAxes, ha="center", color=FAINT)
        return
    start = rows[rows["shift"] == "iid"].assign(severity=NONE)
    means = pd.concat([start, own]).groupby(["called", "severity"], observed=True)["aurc"].mean()
    for name in means.index.unique("called"):
        curve = 100 * means[name].sort_index()
        axis.plot(curve.index, curve, **{"marker": "o", "markersize": 2.2, **looks[str(name)]})
    axis.set_xticks(sorted({NONE, *own["severity"]}))
