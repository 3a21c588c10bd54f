"""Parts that several figures share."""

from collections.abc import Sequence
from math import ceil
from typing import Any, Literal

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sourcebench.evaluation.aggregate import axes
from sourcebench.figures.style import FAINT, StudyStyle

SHARE = "share of positives with the confounder, $p_{\\mathrm{art}}$"


def heading(axis: Axes, first: str, second: str = "") -> None:
    """Title a panel in two lines: the first bold, the second fainter."""
    axis.set_title(first, fontweight="bold", pad=15 if second else 5)
    if second:
        above: dict[str, Any] = {"xycoords": "axes fraction", "textcoords": "offset points"}
        axis.annotate(second, (0.5, 1), (0, 5), **above, ha="center", size=7, color=FAINT)


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


def legend_on_top(figure: Figure, handles: Sequence[Artist], title: str) -> None:
    """Put one legend for all panels on top, in as few rows as the figure's width allows."""
    inches = sum(0.62 + 0.07 * len(str(handle.get_label())) for handle in handles)
    rows = ceil(inches / figure.get_figwidth())
    figure.legend(
        handles=handles,
        loc="outside upper center",
        ncols=ceil(len(handles) / rows),
        frameon=False,
        title=title,
        title_fontsize=7,
        columnspacing=1.5,
    )


def means_label(runs: pd.DataFrame) -> str:
    """Return what a mean and its interval stand on: "mean and … over 3–5 folds"."""
    cell = [name for name in axes(runs) if name != "fold"]
    counts = runs.groupby(cell)["fold"].nunique()
    low, high = int(counts.min()), int(counts.max())
    if high == 1:
        return "one fold, hence no interval"
    span = str(high) if low == high else f"{low}–{high}"
    return f"mean and 95 % confidence interval over {span} folds"


def message(text: str) -> Figure:
    """Return a page that says why there is nothing to see."""
    figure = Figure(figsize=(5, 1.2))
    figure.text(0.5, 0.5, text, ha="center", va="center", wrap=True, color=FAINT)
    return figure
