"""Opposite behaviour within one kind of shift: each score against the softmax's maximum."""

from dataclasses import dataclass
from math import ceil
from typing import Any

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import NullLocator

from sourcebench.evaluation.aggregate import Tables
from sourcebench.evaluation.intervals import mean_ci
from sourcebench.evaluation.replicates import AGAIN, unit
from sourcebench.evaluation.silent_failures import CONFOUNDED
from sourcebench.figures.parts.layout import heading, legend_on_top, message, text_width
from sourcebench.figures.parts.style import FAINT, PALETTE, RC, StudyStyle
from sourcebench.figures.silent_failures.scores import (
    baseline,
    called_in,
    highest,
    kind_title,
    kinds_in,
    named,
    panels_of,
    share_note,
    targets_of,
)

WIDE, LINE, GAP = 0.92, 0.15, 0.7  # of a panel and of a line, inches; between blocks, in lines
MOST_COLUMNS = 8
BETTER, WORSE = PALETTE[0], PALETTE[1]
SHADE = "#F1F1F1"
ENDS = (0.5, 2.0)
"""Ratios that the scale always holds."""


@dataclass(frozen=True)
class Block:
    """The shifts of one kind, in all tasks.

    Attributes:
        kind: of shift.
        labels: of the shifts, each in its task: a line.
        ratios: rows: lines; columns: titles of scores; of their AURC to the baseline's.
        low: lower bounds of these; NaN where there is a single replicate.
        high: upper bounds.
    """

    kind: str
    labels: list[str]
    ratios: pd.DataFrame
    low: pd.DataFrame
    high: pd.DataFrame

    def opposed(self, name: str) -> bool:
        """Tell whether a score is better than the baseline under one shift, and worse in another.

        Where there are intervals, they must not hold 1.
        """
        better = (self.high[name].fillna(self.ratios[name]) < 1).any()
        worse = (self.low[name].fillna(self.ratios[name]) > 1).any()
        return bool(better and worse)


@rc_context(RC)
def opposites(tables: Tables, style: StudyStyle) -> Figure:
    """Draw each score's AURC over that of MSR: a line per shift, a block per kind of shift.

    A column of panels per score; a row of them per source (and value of a further axis). Blue dots
    are better than MSR, orange ones worse, hollow ones where the interval holds both; a grey block
    has some of either. Levels of a corruption are averaged. At the highest p_art.
    """
    table = tables["confidence"]
    if not table.empty:
        table = table[~table["shift"].isin(["iid", CONFOUNDED])].dropna(subset="aurc")
    if not table.empty:
        style = style.covering(table)
        table = named(highest(table), style)
    base = None if table.empty else baseline(table)
    names = [] if base is None else [name for name in called_in(table) if name != base]
    if base is None or not names:
        return message("Needs the confidence score msr and another one, and shifts.")
    bands = [
        (panel.label, _blocks(panel.rows, style, base, names)) for panel in panels_of(table, style)
    ]
    bands = [(label, blocks) for label, blocks in bands if blocks]
    if not bands:
        return message("No score and msr have an AURC above 0 under the same shift.")
    names = sorted(names, key=lambda name: -sum(b.opposed(name) for _, bs in bands for b in bs))
    rows = ceil(len(names) / MOST_COLUMNS)
    width = ceil(len(names) / rows)
    chunks = [names[start : start + width] for start in range(0, len(names), width)]
    drawn = [(label, blocks, chunk) for label, blocks in bands for chunk in chunks]
    tall = [LINE * sum(len(b.labels) + GAP + 1 for b in blocks) + 0.45 for _, blocks, _ in drawn]
    side = max(text_width(label, 6.5) for _, bs in bands for b in bs for label in b.labels)
    size = (max(WIDE * width + side + 0.3, 5.0), sum(tall) + 1.15)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(drawn), width, squeeze=False, sharex=True, height_ratios=tall)
    for axes, (label, blocks, chunk) in zip(grid, drawn, strict=True):
        for unused in axes[len(chunk) :]:
            unused.set_axis_off()
        for place, (axis, name) in enumerate(zip(axes, chunk, strict=False)):
            _panel(axis, blocks, name, named_lines=place == 0)
            heading(axis, name, label, WIDE)
    _fit(grid[0, 0], [block for _, blocks in bands for block in blocks])
    figure.supxlabel("AURC over that of MSR", fontsize=8)
    _legend(figure, table)
    return figure


def _blocks(rows: pd.DataFrame, style: StudyStyle, base: str, names: list[str]) -> list[Block]:
    """Return the blocks of a source, with the shifts under which there is something to compare."""
    found: dict[str, list[tuple[str, pd.DataFrame]]] = {}
    for titles, here in targets_of(rows, style):
        for (kind, family), part in here.groupby(["shift", "family"], sort=False):
            ratios = _ratios(part, base, names)
            if ratios["ratio"].notna().any():
                called = ", ".join(text for text in titles if text)
                label = f"{called}: {str(family).replace('_', ' ')}"
                found.setdefault(str(kind), []).append((label, ratios))
    return [
        Block(
            kind,
            [label for label, _ in found[kind]],
            *(
                pd.DataFrame([ratios[each] for _, ratios in found[kind]]).reset_index(drop=True)
                for each in ("ratio", "low", "high")
            ),
        )
        for kind in kinds_in(list(found))
    ]


def _ratios(rows: pd.DataFrame, base: str, names: list[str]) -> pd.DataFrame:
    """Return the scores' AURC over the baseline's under one shift, with the interval.

    Each network is set against that of the same fold and repeat; the mean is that of the ratios'
    logarithms over replicates, with Student's interval.

    Returns:
        `ratio, low, high`, indexed by the titles of scores; NaN where an AURC is 0, or none.
    """
    again = [name for name in AGAIN if name in rows]
    means = rows.groupby([*again, "called"], observed=False)["aurc"].mean().unstack("called")
    alone = means.index.get_level_values("fold") > 0  # an ensemble is of no fold
    against = means.loc[alone, base]
    ratios = pd.concat([means[alone].div(against, axis=0), means[~alone] / against.mean()])
    logs = pd.DataFrame(np.log(ratios.where((ratios > 0) & np.isfinite(ratios))))
    again_of = logs.groupby(level=unit(rows[rows["fold"] > 0])).mean()
    found = {name: mean_ci(again_of[name], limits=None) for name in names}
    table = pd.DataFrame.from_dict(found, "index", columns=["ratio", "low", "high"])
    return pd.DataFrame(np.exp(table))


def _panel(axis: Axes, blocks: list[Block], name: str, *, named_lines: bool) -> None:
    """Draw a score's dots, block below block."""
    axis.axvline(1, color=FAINT, linewidth=0.6, zorder=1)
    y, ticks, labels = 0.0, [], []
    for block in blocks:
        if named_lines:
            axis.annotate(
                kind_title(block.kind), (0, y), (-3, 0), xycoords=("axes fraction", "data"),
                textcoords="offset points", ha="right", va="center", fontweight="bold", size=7,
                annotation_clip=False,
            )  # fmt: skip
        if block.opposed(name):
            axis.axhspan(y + 0.5, y + len(block.labels) + 0.5, color=SHADE, zorder=0, linewidth=0)
        for line in range(len(block.labels)):
            y += 1
            ticks.append(y)
            _dot(axis, y, *(float(t[name][line]) for t in (block.ratios, block.low, block.high)))
        labels += block.labels
        y += 1 + GAP
    axis.set_ylim(y - GAP, -0.7)
    axis.set_yticks(*(ticks, labels) if named_lines else ([], []), fontsize=6.5)
    axis.tick_params("y", length=0)
    for drawn in axis.lines:  # all within the panel: the layout need not look at each
        drawn.set_in_layout(False)


def _dot(axis: Axes, y: float, ratio: float, low: float, high: float) -> None:
    colour = BETTER if ratio < 1 else WORSE if ratio > 1 else FAINT
    unclear = low <= 1 <= high or ratio == 1
    axis.plot([low, high], [y, y], color=colour, linewidth=1.0, zorder=2)
    face = "white" if unclear else colour
    look: dict[str, Any] = {
        "markersize": 3.6,
        "markeredgewidth": 0.9,
        "color": colour,
        "markerfacecolor": face,
    }
    axis.plot(ratio, y, "o", zorder=3, **look)


def _fit(axis: Axes, blocks: list[Block]) -> None:
    """Give all panels one scale, of ratios, which holds all dots; wide intervals may be cut off."""
    ratios = np.concatenate([block.ratios.to_numpy().ravel() for block in blocks])
    ends = np.append(ratios[np.isfinite(ratios)], ENDS)
    axis.set_xscale("log")
    axis.set_xlim(ends.min() / 1.15, ends.max() * 1.15)
    wide = np.log2(ends.max() / ends.min())
    step = 1 if wide <= 4 else ceil(wide / 4)
    marks = [2.0**power for power in range(-20, 21, step) if power % step == 0]
    axis.set_xticks([m for m in marks if ends.min() <= m <= ends.max()])
    axis.xaxis.set_major_formatter(lambda x, _: f"{x:.3g}".removeprefix("0"))
    axis.xaxis.set_minor_locator(NullLocator())


def _legend(figure: Figure, table: pd.DataFrame) -> None:
    def entry(colour: str, face: str, label: str) -> Line2D:
        look: dict[str, Any] = {
            "color": colour,
            "markerfacecolor": face,
            "markersize": 4,
            "linestyle": "none",
        }
        return Line2D([], [], marker="o", label=label, **look)

    entries = [
        entry(BETTER, BETTER, "less than MSR: better"), entry(WORSE, WORSE, "more: worse"),
        entry(FAINT, "white", "unclear"),
    ]  # fmt: skip
    replicates = table[unit(table[table["fold"] > 0])].nunique()
    of = unit(table[table["fold"] > 0])
    line = (
        f"line: 95 % interval over {of}s alone" if replicates > 1 else "one replicate: no intervals"
    )
    grey = "grey: both occur within the kind of shift"
    legend_on_top(figure, entries, f"{line}; {grey}", *share_note(table))
