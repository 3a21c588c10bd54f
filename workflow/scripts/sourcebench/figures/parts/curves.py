"""AUROC against p_art: the panels that Figures 3 and 4 are made of."""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sourcebench.evaluation.aggregate import Tables
from sourcebench.figures.parts.layout import legend_on_top, means_label, source_handles
from sourcebench.figures.parts.overlay import overlay_handles
from sourcebench.figures.parts.skill import DAGGER, look_of, skill_notes, unskilled
from sourcebench.figures.parts.style import FAINT, StudyStyle


def cells_on(tables: Tables, *test_sets: str) -> pd.DataFrame:
    """Return the rows of summary.csv on these test sets, of every metric."""
    table = tables["summary"]
    return table[table["test_set"].isin(test_sets)]


def aurocs(cells: pd.DataFrame) -> pd.DataFrame:
    """Return those of the rows of summary.csv that are of the AUROC, and have a value."""
    return cells[(cells["metric"] == "auroc") & cells["mean"].notna()]


def panel(axis: Axes, cells: pd.DataFrame, style: StudyStyle, reference: float | None) -> None:
    """Draw one panel's curves with their intervals; with one p_art, points.

    Args:
        axis: the panel.
        cells: the rows of summary.csv that belong in it.
        style: covers them.
        reference: a level that is drawn for orientation.
    """
    table = aurocs(cells)
    if table.empty:
        axis.text(0.5, 0.5, "no runs", transform=axis.transAxes, ha="center", color=FAINT)
        return
    axis.axhline(0.5, color=FAINT, linewidth=0.6, dashes=(6, 3), zorder=0)
    if reference is not None:
        axis.axhline(reference, color=FAINT, linestyle=":", zorder=0)
    sources = style.sources_in(table)
    single = table["p_art"].nunique() == 1
    middle = (len(sources) - 1) / 2
    alpha = min(0.15, 0.45 / len(sources))
    for i, source in enumerate(sources):
        rows = table[table["source"] == source].sort_values("p_art")
        skilled = not unskilled(rows)
        look, level = look_of(style, source, skilled=skilled), 2 if skilled else 1.9
        x = rows["p_art"] + (0.06 * (i - middle) if single else 0)
        if single:
            axis.vlines(x, rows["low"], rows["high"], look["color"], linewidth=1.2, zorder=level)
        else:
            band = {"color": look["color"], "alpha": alpha, "linewidth": 0}
            axis.fill_between(x, rows["low"], rows["high"], **band)
        line = {**look, "linewidth": 1.4, "markersize": 5, "zorder": level}
        axis.plot(x, rows["mean"], clip_on=False, **line)
        if not skilled:
            end = (x.iloc[-1], rows["mean"].iloc[-1])
            place: dict[str, Any] = {"textcoords": "offset points", "annotation_clip": False}
            paper = {"facecolor": "white", "linewidth": 0, "pad": 0.3}
            axis.annotate(DAGGER, end, (5, 0), **place, va="center", color=FAINT, bbox=paper)


def share_ticks(axis: Axes, shares: npt.NDArray[np.float64]) -> None:
    """Mark every p_art where it truly lies, and name those that have room for a name."""
    span = max(shares[-1] - shares[0], 0.2)
    named: list[float] = []
    for share in shares:
        if not named or share - named[-1] > 0.09 * span:
            named.append(float(share))
    axis.set_xticks(named, [f"{share:g}".removeprefix("0") or "0" for share in named])
    axis.set_xticks([share for share in shares if share not in named], minor=True)
    middle = (shares[0] + shares[-1]) / 2
    axis.set_xlim(middle - 0.55 * span, middle + 0.55 * span)


def curves_legend(
    figure: Figure, cells: pd.DataFrame, style: StudyStyle, targets: list[tuple[str, str]]
) -> None:
    """Put one legend for all panels on top."""
    table = aurocs(cells)
    variants = [label for label, _ in style.variants_in(table)]
    handles = source_handles(style, style.sources_in(table))
    handles.append(Line2D([], [], color=FAINT, linewidth=0.6, dashes=(6, 3), label="chance"))
    if any(task in style.references for task, _ in targets):
        handles.append(Line2D([], [], color=FAINT, linestyle=":", label=style.reference_label))
    handles.extend(overlay_handles(cells, style))
    shown = f"{variants[0]}: " if len(variants) == 1 else ""
    legend_on_top(figure, handles, shown + means_label(table), *skill_notes(table))
