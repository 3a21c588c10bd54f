"""Transfer against random initialisation with few data: *Rethink Transfer Learning*, Figure 4."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.ticker import NullLocator

from sourcebench.figures.parts.layout import (
    heading,
    legend_on_top,
    message,
    source_handles,
    source_look,
)
from sourcebench.figures.parts.style import FAINT, RC, StudyStyle
from sourcebench.figures.rethink.blocks import (
    chance_handle,
    chunks,
    fine_tuned,
    metrics,
    prevalence,
    runs_label,
    there,
)

MOST_COLUMNS = 6
APART = 0.035  # between sources at one fraction, of the axis' width


@rc_context(RC)
def rethink4(runs: pd.DataFrame, style: StudyStyle) -> Figure:
    """Draw AUROC and AUPRC of every source against the share of training patients.

    Two rows of panels per task, one column per architecture, mean ± SD over repeats; all layers
    fine-tuned. Tasks with one share only are left out where others have several.
    """
    style = style.covering(runs)
    chosen = fine_tuned(runs)
    if chosen.empty:
        return message("Needs fine-tuned runs (transfer: full) with p_art = 0.")
    shares = chosen.groupby("task")["fraction"].transform("nunique")
    chosen = chosen[shares > 1] if (shares > 1).any() else chosen
    bands = [
        (task, archs)
        for task in there(style.tasks, chosen["task"])
        for archs in chunks(there(style.archs, chosen["arch"]), MOST_COLUMNS)
    ]
    width = max(len(archs) for _, archs in bands)
    size = (max(1.55 * width + 0.9, 4.6), 3.5 * len(bands) + 0.6)
    figure = Figure(figsize=size, layout="constrained")
    places = figure.subfigures(len(bands), 1, squeeze=False)[:, 0]
    scales: dict[tuple[str, int], list[Axes]] = {}
    for place, (task, archs) in zip(places, bands, strict=True):
        place.suptitle(style.tasks[task], x=0.01, ha="left", fontweight="bold", fontsize=9)
        rows = _band(place, chosen[chosen["task"] == task], style, archs, width)
        for number, axis in enumerate(rows):
            scales.setdefault((task, number), []).append(axis)
    for axes in scales.values():  # one for all of a task's panels, even if they are broken into two
        ends = np.array([axis.get_ylim() for axis in axes])
        for axis in axes:
            axis.set_ylim(ends[:, 0].min(), ends[:, 1].max())
    entries = source_handles(style, style.sources_in(chosen))
    label = runs_label(chosen, ["task", "arch", "source", "fraction"])
    legend_on_top(figure, [*entries, chance_handle(chosen, "--")], label)
    return figure


def _band(
    place: SubFigure, runs: pd.DataFrame, style: StudyStyle, archs: Sequence[str], width: int
) -> list[Axes]:
    """Draw a task's panels; return the first of each row."""
    measures = metrics(runs)
    grid = place.subplots(2, width, sharex=True, sharey="row", squeeze=False)
    for axis in grid[:, len(archs) :].flat:
        axis.set_axis_off()
    for row, (metric, label) in zip(grid, measures.items(), strict=True):
        row[0].set_ylabel(label.replace(" (", "\n("))
        for axis, arch in zip(row, archs, strict=False):
            _panel(axis, runs[runs["arch"] == arch], metric, style)
        chance = prevalence(runs, metric)
        for axis in row[: len(archs)]:
            axis.axhline(chance, color=FAINT, linewidth=0.9, alpha=0.7, linestyle="--", zorder=0)
    for axis, arch in zip(grid[0], archs, strict=False):
        heading(axis, style.archs[arch])
    shares = np.sort(runs["fraction"].unique())
    ends = np.log(shares[[0, -1]])
    margin = 0.12 * max(ends[1] - ends[0], 1.0)
    grid[0, 0].set_xscale("log")
    grid[0, 0].set_xlim(*np.exp([ends[0] - margin, ends[1] + margin]))
    grid[0, 0].set_xticks(shares, [f"{100 * share:g}" for share in shares])
    grid[0, 0].xaxis.set_minor_locator(NullLocator())
    place.supxlabel("% of the training patients", fontsize=8)
    return list(grid[:, 0])


def _panel(axis: Axes, runs: pd.DataFrame, metric: str, style: StudyStyle) -> None:
    """Draw one architecture's curves; sources are set a little apart so that bars don't overlap."""
    sources = style.sources_in(runs)
    shares = np.sort(runs["fraction"].unique())
    wide = max(float(np.log(shares[-1] / shares[0])), 1.0) if len(shares) else 1.0
    for i, source in enumerate(sources):
        aside = float(np.exp(APART * wide * (i - (len(sources) - 1) / 2)))
        here = runs[runs["source"] == source].groupby("fraction", as_index=False)[metric]
        points = here.agg(["mean", "std"]).set_axis(["share", "mean", "sd"], axis=1)
        places = points["share"] * aside
        look = source_look(style, source)
        axis.plot(places, points["mean"], linewidth=1.3, markersize=5, **look)
        low, high = points["mean"] - points["sd"], points["mean"] + points["sd"]
        axis.vlines(places, low, high, color=look["color"], linewidth=1.1)
