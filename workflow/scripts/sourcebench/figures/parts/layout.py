"""Parts that several figures share."""

from collections.abc import Sequence
from functools import cache
from math import ceil
from typing import Any, Literal

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties
from matplotlib.lines import Line2D
from matplotlib.textpath import TextPath

from sourcebench.figures.parts.style import FAINT, RC, StudyStyle

SHARE = "share of positives with the confounder, $p_{\\mathrm{art}}$"


def heading(axis: Axes, first: str, second: str = "", inches: float = np.inf) -> None:
    """Title a panel: the first text bold, the second under it and fainter.

    Args:
        axis: the panel.
        first: what sets it apart from its neighbours.
        second: what it belongs to.
        inches: the panel's width; longer texts are broken into lines.
    """
    below = wrapped(second, inches, 7)
    lines = below.count("\n") + 1 if second else 0
    axis.set_title(wrapped(first, inches, 8, bold=True), fontweight="bold", pad=5 + 10 * lines)
    if second:
        above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
        axis.annotate(below, (0.5, 1), (0, 5), **above, ha="center", size=7, color=FAINT)


@cache  # panels have the same titles, and each is measured word by word
def text_width(text: str, points: float, *, bold: bool = False) -> float:
    """Return how wide a text is, in inches: its longest line."""
    family = FontProperties(family=RC["font.family"], weight="bold" if bold else "normal")
    widths = [
        TextPath((0, 0), line, size=points, prop=family).get_extents().x1
        for line in text.split("\n")
        if line.strip()
    ]
    return max(widths, default=0.0) / 72


def wrapped(text: str, inches: float, points: float, *, bold: bool = False) -> str:
    """Break a text between words into as few lines as the width allows; a word stays whole."""
    lines: list[str] = []
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}" if lines else word
        if lines and text_width(longer, points, bold=bold) <= inches:
            lines[-1] = longer
        else:
            lines.append(word)
    return "\n".join(lines)


def beside(axis: Axes, y: float, text: str, colour: str) -> None:
    """Write at the right of a panel, at height `y` of its data."""
    right: dict[str, Any] = {"xycoords": ("axes fraction", "data"), "annotation_clip": False}
    axis.annotate(text, (1.02, y), **right, va="center", color=colour, size=7)


def source_look(style: StudyStyle, source: str) -> dict[str, Any]:
    """Return how a source's mean is marked."""
    edge = {"markeredgecolor": "white", "markeredgewidth": 0.5}
    return {"color": style.colours[source], "marker": style.marker(source), **edge}


def source_handles(
    style: StudyStyle, sources: Sequence[str], line: Literal["-", "none"] = "-"
) -> list[Artist]:
    """Return the legend's entries for sources."""
    return [
        Line2D([], [], markersize=5, linestyle=line, label=style.sources[source], **look)
        for source in sources
        for look in [source_look(style, source)]
    ]


def legend_on_top(
    figure: Figure, handles: Sequence[Artist], title: str, *notes: str, columns: int | None = None
) -> None:
    """Put one legend for all panels on top, in as few rows as the figure's width allows.

    Args:
        figure: with the panels.
        handles: the legend's entries.
        title: what stands over them.
        notes: further lines of it, such as of the marks that panels have.
        columns: of the entries; None: as many as there is room for if all are as long as the mean.
    """
    inches = sum(0.62 + 0.07 * len(str(handle.get_label())) for handle in handles)
    rows = ceil(inches / figure.get_figwidth())
    legend = figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=columns or ceil(len(handles) / rows),
        frameon=False,
        title="\n".join([title, *notes]),
        title_fontsize=7,
        columnspacing=1.5,
    )
    legend.get_title().set_multialignment("center")


def means_label(table: pd.DataFrame) -> str:
    """Return what means and their intervals stand on: "mean over 5 folds; 95 % interval over …".

    Args:
        table: its columns `folds` and `repeats` say how many are in each mean.
    """
    over = means_over(table)
    varied = "folds" if (table["folds"] > 1).any() else "repeats"
    if over == "one fold":
        return "one fold; 95 % interval over patients"
    return f"mean over {over}; 95 % interval over patients and {varied}"


def means_over(table: pd.DataFrame) -> str:
    """Return what replicates there are: "5 folds, each the mean of 3 repeats"."""
    folds, repeats = (_span(table[name]) for name in ("folds", "repeats"))
    if folds == "1":
        return "one fold" if repeats == "1" else f"{repeats} repeats of one fold"
    return f"{folds} folds" + ("" if repeats == "1" else f", each the mean of {repeats} repeats")


def _span(counts: pd.Series) -> str:
    """Return a number, or from which to which it goes; of cells without a value there is none."""
    there = counts[counts > 0]
    low, high = (int(there.min()), int(there.max())) if len(there) else (1, 1)
    return str(high) if low == high else f"{low}–{high}"


def message(text: str) -> Figure:
    """Return a page that says why there is nothing to see."""
    figure = Figure(figsize=(5, 1.2))
    figure.text(0.5, 0.5, text, ha="center", va="center", wrap=True, color=FAINT)
    return figure
