"""Three questions to a source's networks: is the artifact encoded, is it used, is it paid for?"""

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from matplotlib import rc_context
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sourcebench.evaluation.aggregate import Tables
from sourcebench.evaluation.counterfactual import GROUPS
from sourcebench.figures.parts.layout import (
    beside,
    heading,
    legend_on_top,
    means_label,
    message,
    source_handles,
)
from sourcebench.figures.parts.rows import Rows, cells_of
from sourcebench.figures.parts.skill import DAGGER, LACKING, look_of, skill_notes
from sourcebench.figures.parts.style import FAINT, INK, RC, StudyStyle

LINE = 0.13  # inches
PANEL = 1.55  # inches
MOST_ACROSS = 2
SPACE = 0.1  # between blocks, in panels
GROUP = "‡"
ASIDE = 0.3  # lines that a hollow marker stands below its own
HOLLOW: dict[str, Any] = {"markerfacecolor": "white", "markersize": 4, "markeredgewidth": 0.9}


@dataclass(frozen=True)
class Question:
    """A panel: its heading, what its axis says, where nothing happens, and what it always holds."""

    title: str
    axis: str
    nothing: float
    ends: tuple[float, float]


QUESTIONS = {
    "encoded": Question("Encoded?", "AUROC of a linear probe\non the features", 0.5, (0.5, 1.0)),
    "used": Question("Used?", "change of the confounded\nclass' probability", 0.0, (0.0, 0.2)),
    "paid": Question("Paid?", "o.o.d. AUROC lost\nsince $p_{\\mathrm{art}}$ = 0", 0.0, (0.0, 0.2)),
}


@rc_context(RC)
def encoded_used_paid(tables: Tables, style: StudyStyle) -> Figure:
    """Draw what networks encode of the artifact, what their answers use of it, and what it costs.

    Three panels side by side, one block per task and confounder, one line per source with its 95 %
    confidence interval, at the highest p_art; two architectures (or values of a further axis) stand
    side by side, more under each other. A hollow marker is what is encoded at p_art = 0.
    """
    table = tables["encoded_used_paid"]
    if table.empty:
        return message("Needs runs that were tested with the artifact and without it.")
    style = style.covering(tables["runs"])
    most = table["p_art"].max()
    top, zero = table[table["p_art"] == most], table[(table["p_art"] == 0) & (most > 0)]
    variants = style.variants_in(top)
    sources = style.sources_in(top)
    rows = Rows(style.targets_in(top), len(sources))
    across = min(len(variants), MOST_ACROSS)
    down = ceil(len(variants) / across)
    size = (
        max(len(QUESTIONS) * PANEL * across + 1.6, 6.4),
        down * (max(LINE * rows.height, 0.6) + 0.75) + 0.8,
    )
    figure = Figure(figsize=size, layout="constrained")
    blocks = _blocks(figure, down, across)
    for unused in blocks[len(variants) :].flat:
        unused.set_axis_off()
    before = {label: cells_of(part) for label, part in style.variants_in(zero)}
    for block, (label, part) in zip(blocks, variants, strict=False):
        now, then = cells_of(part), before.get(label, {})
        for axis, (name, question) in zip(block, QUESTIONS.items(), strict=True):
            heading(axis, question.title, label)
            axis.axvline(question.nothing, color=FAINT, linewidth=0.6, zorder=0)
            for (target, source), row in now.items():
                y = rows.y(target, sources.index(source))
                earlier = then.get((target, source)) if name == "encoded" else None
                _line(axis, name, y, row, earlier, style)
            rows.set_apart(axis)
            axis.set_xlabel(question.axis)
    groups = table[table["contrast"] == GROUPS]
    rows.name(blocks[0, 0], style, style.targets_in(groups), GROUP)
    for column, (name, question) in enumerate(QUESTIONS.items()):
        _fit(blocks[: len(variants), column], top, name, question)
    handles = source_handles(style, sources, "none")
    if not zero["encoded"].isna().all():
        handles.append(_plain("encoded at $p_{\\mathrm{art}}$ = 0", marker="o", **HOLLOW))
    shown = f"at $p_{{\\mathrm{{art}}}}$ = {most:g}: {means_label(top)}"
    notes = skill_notes(top)
    if len(groups):
        notes.append(f"{GROUP} an attribute: images with it against other images without it")
    legend_on_top(figure, handles, shown, *notes)
    return figure


def _blocks(figure: Figure, down: int, across: int) -> npt.NDArray[Any]:
    """Return the panels by block, with some space between blocks that stand side by side."""
    count = len(QUESTIONS)
    widths = [*[1.0] * count, SPACE] * across
    grid = figure.subplots(
        down, len(widths) - 1, squeeze=False, sharey=True, width_ratios=widths[:-1]
    )
    for space in grid[:, count :: count + 1].flat:
        space.set_axis_off()
    panels = np.delete(grid, np.s_[count :: count + 1], axis=1)
    return panels.reshape(down * across, count)


def _line(
    axis: Axes,
    name: str,
    y: float,
    row: pd.Series,
    earlier: pd.Series | None,
    style: StudyStyle,
) -> None:
    """Draw one source's answer to one question."""
    skilled = row["skilled"] not in LACKING
    look = look_of(style, row["source"], skilled=skilled)
    if earlier is not None:
        edge = {"color": look["color"], "markeredgecolor": look["color"], **HOLLOW}
        axis.plot(earlier[name], y + ASIDE, linestyle="none", marker=look["marker"], **edge)
    axis.plot([row[f"{name}_low"], row[f"{name}_high"]], [y, y], color=look["color"], linewidth=1.2)
    axis.plot(row[name], y, markersize=5, **look)
    if name == "paid" and not skilled:
        beside(axis, y, DAGGER, FAINT)


def _fit(panels: npt.NDArray[Any], table: pd.DataFrame, name: str, question: Question) -> None:
    """Give the panels of one question one scale, which holds all there is."""
    ends = table[[name, f"{name}_low", f"{name}_high"]].to_numpy(np.float64).ravel()
    ends = np.append(ends[np.isfinite(ends)], question.ends)
    margin = 0.05 * (ends.max() - ends.min())
    for axis in panels:
        axis.set_xlim(ends.min() - margin, ends.max() + margin)


def _plain(label: str, **look: Any) -> Artist:
    """Return a legend's entry of no source."""
    return Line2D([], [], color=INK, linestyle="none", label=label, **look)
