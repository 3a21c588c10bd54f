"""Sources ranked by the area under their curve over p_art, and how sure the ranks are."""

from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sourcebench.evaluation.aggregate import Tables
from sourcebench.figures.parts.curves import aurocs, cells_on
from sourcebench.figures.parts.layout import (
    heading,
    legend_on_top,
    means_label,
    message,
    source_handles,
)
from sourcebench.figures.parts.rows import Rows
from sourcebench.figures.parts.skill import DAGGER, LACKING, ink_of, look_of, skill_notes
from sourcebench.figures.parts.style import FAINT, RC, StudyStyle

SCORE = "area"
LINE = 0.17  # inches
VALUE, RANK = 4, 28  # points from the right end of a panel


@rc_context(RC)
def leaderboard(tables: Tables, style: StudyStyle) -> Figure:
    """Draw the sources in the order of the area under their o.o.d. AUROC over p_art.

    One block per task and confounder, the best source on top: area with its 95 % confidence
    interval, at the right its number, and the rank with those that 95 % of the draws give; one
    column per architecture. Sources without skill stand last, without a rank.
    """
    table = tables["leaderboard"]
    if not table.empty:
        table = table[table["score"] == SCORE].dropna(subset="value")
    if table.empty:
        return message("A ranking needs runs with p_art = 0 and with a higher p_art.")
    style = style.covering(tables["runs"])
    variants = style.variants_in(table)
    sources = style.sources_in(table)
    rows = Rows(style.targets_in(table), len(sources))
    size = (2.9 * len(variants) + 2.2, LINE * rows.height + 1.4)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(1, len(variants), squeeze=False, sharex=True, sharey=True)[0]
    for axis, (label, part) in zip(grid, variants, strict=True):
        heading(axis, label)
        axis.axvline(0.5, color=FAINT, linewidth=0.6, dashes=(6, 3), zorder=0)
        for target in rows.targets:
            chosen = (part["task"] == target[0]) & (part["confounder"] == target[1])
            for line, (_, row) in enumerate(_ranked(part[chosen]).iterrows()):
                _line(axis, rows.y(target, line), row, style)
        rows.set_apart(axis)
        for points, head in ((VALUE, SCORE), (RANK, "rank")):
            _write(axis, points, (1, "axes fraction"), head, FAINT)
    rows.name(grid[0], style)
    ends = table[["value", "low", "high"]].to_numpy(np.float64)
    low, high = min(np.nanmin(ends), 0.45), max(np.nanmax(ends), 0.55)
    margin = 0.04 * (high - low)
    grid[0].set_xlim(low - margin, high + margin)
    most = table["p_art"].max()
    figure.supxlabel(
        f"area: mean height of the o.o.d. AUROC over $p_{{\\mathrm{{art}}}}$ from 0 to {most:g} "
        "(dashed: chance)",
        fontsize=8,
    )
    handles = source_handles(style, sources, "none")
    over = f"best on top; {means_label(aurocs(cells_on(tables, 'ood')))}"
    ranks = "rank: in brackets those of 95 % of the draws"
    legend_on_top(figure, handles, over, ranks, *skill_notes(table))
    return figure


def _ranked(table: pd.DataFrame) -> pd.DataFrame:
    """Return the best first, those without skill last."""
    return table.sort_values(["rank", "value"], ascending=[True, False], na_position="last")


def _line(axis: Axes, y: float, row: pd.Series, style: StudyStyle) -> None:
    """Draw one source's area, its number and its rank."""
    skilled = row["skilled"] not in LACKING
    look = look_of(style, row["source"], skilled=skilled)
    ink = ink_of(style, row["source"], skilled=skilled)
    axis.plot([row["low"], row["high"]], [y, y], color=look["color"], linewidth=1.2)
    axis.plot(row["value"], y, markersize=6, **look)
    _write(axis, VALUE, (y, "data"), f"{row['value']:.2f}", ink)
    _write(
        axis, RANK, (y, "data"), _rank(row) if skilled else f"{_rank(row)} {DAGGER}".strip(), ink
    )


def _write(axis: Axes, points: int, place: tuple[float, str], text: str, colour: str) -> None:
    """Write at the right of a panel, so many points from its end."""
    y, unit = place
    where: dict[str, Any] = {"xycoords": ("axes fraction", unit), "textcoords": "offset points"}
    look: dict[str, Any] = {"color": colour, "size": 7, "annotation_clip": False}
    axis.annotate(text, (1, y), (points, 0), **where, **look, va="center")


def _rank(row: pd.Series) -> str:
    """Return a rank with its interval: "2 [1–3]"."""
    rank, low, high = (row[name] for name in ("rank", "rank_low", "rank_high"))
    if np.isnan(rank):
        return ""
    return f"{rank:g} [{low:g}–{high:g}]" if low < high else f"{rank:g} [{low:g}]"
