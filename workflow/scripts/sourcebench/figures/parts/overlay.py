"""Published curves and a study's own, in the metric that they were published in."""

from typing import Any

import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from sourcebench.evaluation.published.match import Curve
from sourcebench.evaluation.published.ours import at_defaults
from sourcebench.figures.parts.skill import look_of, unskilled
from sourcebench.figures.parts.style import FAINT, StudyStyle

PUBLISHED: dict[str, Any] = {
    "linestyle": (0, (4, 2)), "linewidth": 1, "markersize": 5,
    "markerfacecolor": "white", "markeredgewidth": 1,
}  # fmt: skip
NAMES = {"auc_keras": "Keras AUC"}


def overlay(axis: Axes, cells: pd.DataFrame, style: StudyStyle) -> None:
    """Draw published curves, dashed, and the study's own in the same metric, into an empty panel.

    The two are a panel of their own since the published metric is no AUROC. There is no line of
    chance: what a guess scores depends on the share of positives. A published mean is a hollow
    marker, at the ends as the paper has it, between them of the folds that its repository has; the
    dashes between two say nothing of what lies between.

    Args:
        axis: the panel; without published curves it is switched off.
        cells: the rows of summary.csv of one task, confounder and variant.
        style: covers the cells.
    """
    curves = published_in(cells, style)
    if not curves:
        axis.set_axis_off()
    for curve in curves:
        rows = (cells["source"] == curve["source"]) & (cells["test_set"] == curve["test_set"])
        rows &= cells["metric"] == curve["metric"]
        own = cells[rows].sort_values("p_art")
        look = look_of(style, curve["source"], skilled=not unskilled(own))
        colour = look["color"]
        axis.fill_between(own["p_art"], own["low"], own["high"], color=colour, alpha=0.15, lw=0)
        axis.plot(own["p_art"], own["mean"], linewidth=1.4, markersize=5, clip_on=False, **look)
        p_art, means, _ = zip(*curve["means"], strict=True)
        ink = style.colours[curve["source"]]
        hollow = {**look, **PUBLISHED, "color": ink, "markeredgecolor": ink}
        axis.plot(p_art, means, zorder=3, clip_on=False, **hollow)


def published_in(cells: pd.DataFrame, style: StudyStyle) -> list[Curve]:
    """Return the published curves of cells that have runs."""
    names = ["task", "confounder", "source", "arch", "test_set"]
    there = set(at_defaults(cells)[names].drop_duplicates().itertuples(index=False, name=None))
    places = [
        (each["task"], each["confounder"], each["source"], each["arch"], each["test_set"])
        for each in style.published
    ]
    return [curve for curve, cell in zip(style.published, places, strict=True) if cell in there]


def overlay_label(cells: pd.DataFrame, style: StudyStyle) -> str:
    """Return what the panels that `overlay` draws into show: "o.o.d. Keras AUC"."""
    metrics = dict.fromkeys(curve["metric"] for curve in published_in(cells, style))
    return "o.o.d. " + ", ".join(NAMES.get(metric, metric) for metric in metrics)


def overlay_handles(cells: pd.DataFrame, style: StudyStyle) -> list[Artist]:
    """Return the legend's entry for published curves; none where `overlay` draws none."""
    if not published_in(cells, style):
        return []
    label = f"published ({overlay_label(cells, style).removeprefix('o.o.d. ')})"
    return [Line2D([], [], color=FAINT, marker="o", label=label, **PUBLISHED)]
