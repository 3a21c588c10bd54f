"""The benchmark as a table: AURC of every score in every task, by kind of shift."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sourcebench.evaluation.aggregate import Tables
from sourcebench.evaluation.silent_failures import DIGITS, mean_ranks
from sourcebench.figures.parts.layout import message, text_width, wrapped
from sourcebench.figures.parts.style import FAINT, INK, RC, StudyStyle
from sourcebench.figures.silent_failures.scores import (
    NEEDED,
    called_in,
    highest,
    kinds_in,
    named,
    over,
    panels_of,
    share_note,
    targets_of,
)

WIDE, TALL, GAP = 0.47, 0.2, 0.12  # of a cell, and between tasks; inches
KINDS, FOOT, MARGIN = 0.2, 0.5, 0.12
MOST_INCHES = 8.0  # of a band's columns
SHORT = {
    "iid": "i.i.d.", "confounder": "o.o.d.", "corruption": "cor.", "acquisition": "acq.",
    "manifestation": "man.", "unclear": "uncl.",
}  # fmt: skip
# Both ends are pale enough for black to be read on them.
COLOURS = LinearSegmentedColormap.from_list("better, worse", ["#7FB2E5", "#FFFFFF", "#F2A65A"])
LEAST = 0.1
"""A column whose scores are all nearer to its median than this share of it has no full colour."""


@dataclass(frozen=True)
class Block:
    """Columns that stand together, those of a task.

    Attributes:
        title: of the task.
        below: what else sets it apart.
        columns: kind of shift → rows of silent_failures.csv, one per score.
    """

    title: str
    below: str
    columns: dict[str, pd.DataFrame]

    @property
    def inches(self) -> float:
        """How wide it is; no word of its heading is broken."""
        words = [text_width(word, 7.5, bold=True) for word in self.title.split()]
        small = [text_width(word, 6.5) for word in self.below.split()]
        return max(len(self.columns) * WIDE, *words, *small)

    @property
    def heading(self) -> tuple[str, str]:
        """The title and what is below it, in lines."""
        below = wrapped(self.below, self.inches, 6.5) if self.below else ""
        return wrapped(self.title, self.inches, 7.5, bold=True), below

    @property
    def head(self) -> float:
        """How tall its heading is, in inches."""
        title, below = self.heading
        return KINDS + 0.13 * (title.count("\n") + 1) + 0.12 * _lines(below) + 0.06


@rc_context(RC)
def confidence_table(tables: Tables, style: StudyStyle) -> Figure:
    """Draw the AURC in % of every score (rows) in every task, by kind of shift (columns).

    A table for each source (and value of a further axis), at each task's highest p_art; columns
    that are too many for a page are broken into bands. The colour is the distance from the column's
    median, blue for less. The best of a column is bold. The last column is the mean rank.
    """
    table = tables["silent_failures"]
    if table.empty or table["aurc"].isna().all():
        return message(NEEDED)
    style = style.covering(table)
    table = named(highest(table.dropna(subset="aurc")), style)
    names = called_in(table)
    bands: list[tuple[str, list[Block], pd.Series | None]] = []
    for panel in panels_of(table, style):
        means = panel.rows.assign(mean_rank=mean_ranks(panel.rows)).drop_duplicates("called")
        ranks = means.set_index("called")["mean_rank"]
        chunks = list(_chunks(_blocks(panel.rows, style)))
        for i, chunk in enumerate(chunks):
            bands.append((panel.label, chunk, ranks if i + 1 == len(chunks) else None))
    side = max(text_width(name, 7.5) for name in names) + 0.15
    wide = max(sum(each.inches + GAP for each in blocks) for _, blocks, _ in bands) + WIDE
    heads = [max(b.head for b in blocks) + 0.2 * bool(label) for label, blocks, _ in bands]
    tall = [head + FOOT + TALL * len(names) for head in heads]
    notes = [
        f"AURC in %, lower is better; mean over {over(table)}",
        *share_note(table),
        "blue: less than the column's median, orange: more; bold: the least",
    ]
    lines = wrapped("; ".join(notes), side + wide, 7)
    top = 0.14 * (lines.count("\n") + 1) + 0.1
    size = (side + wide + 2 * MARGIN, sum(tall) + top + MARGIN)
    figure = Figure(figsize=size)
    figure.text(0.5, 1 - 0.06 / size[1], lines, ha="center", va="top", size=7)
    for i, (label, blocks, mean) in enumerate(bands):
        corner = ((MARGIN + side) / size[0], (MARGIN + sum(tall[i + 1 :])) / size[1])
        axis = figure.add_axes((*corner, wide / size[0], tall[i] / size[1]))
        axis.set(xlim=(0, wide), ylim=(tall[i] - heads[i], -heads[i]))
        axis.spines[:].set_visible(False)
        axis.set_yticks([TALL * (row + 0.5) for row in range(len(names))], names)
        axis.set_xticks([])
        axis.tick_params(length=0, labelsize=7.5, pad=3)
        if label:
            axis.text(-side, -heads[i] + 0.02, label, va="top", fontweight="bold", size=8.5)
        _band(axis, blocks, names)
        if mean is not None:
            _ranks(axis, mean, names, sum(each.inches + GAP for each in blocks) + WIDE / 2)
    return figure


def _lines(text: str) -> int:
    return text.count("\n") + 1 if text else 0


def _blocks(rows: pd.DataFrame, style: StudyStyle) -> list[Block]:
    return [
        Block(*titles, {kind: here[here["shift"] == kind] for kind in kinds_in(here["shift"])})
        for titles, here in targets_of(rows, style)
    ]


def _chunks(blocks: Sequence[Block]) -> list[list[Block]]:
    """Break blocks into bands that are no wider than a page."""
    chunks: list[list[Block]] = [[]]
    for block in blocks:
        if chunks[-1] and sum(b.inches + GAP for b in [*chunks[-1], block]) > MOST_INCHES:
            chunks.append([])
        chunks[-1].append(block)
    return chunks


def _band(axis: Axes, blocks: Sequence[Block], names: list[str]) -> None:
    """Draw the columns of some tasks."""
    left = 0.0
    foot = TALL * len(names)
    for text, line in (("images", 0.13), ("failures", 0.27)):
        axis.text(-0.05, foot + line, text, ha="right", va="center", size=6, color=FAINT)
    for block in blocks:
        middle = left + block.inches / 2
        heading, below = block.heading
        up = -KINDS - 0.12 * _lines(below)
        axis.text(middle, up, heading, ha="center", va="bottom", size=7.5, fontweight="bold")
        axis.text(middle, -KINDS, below, ha="center", va="bottom", size=6.5, color=FAINT)
        step = block.inches / len(block.columns)
        for i, (kind, rows) in enumerate(block.columns.items()):
            _column(axis, (left + step * i, step), kind, rows, names)
        left += block.inches + GAP


def _column(
    axis: Axes, place: tuple[float, float], kind: str, rows: pd.DataFrame, names: list[str]
) -> None:
    """Draw one column: its kind, the scores' AURC, and what they stand on."""
    left, width = place
    middle = left + width / 2
    axis.text(middle, -0.04, SHORT.get(kind, kind), ha="center", va="bottom", size=7, color=INK)
    values = rows.set_index("called")["aurc"].reindex(names)
    shades = shades_of(values)
    for row, (value, shade) in enumerate(zip(values, shades, strict=True)):
        y = TALL * row
        if np.isnan(value):
            axis.text(middle, y + TALL / 2, "–", ha="center", va="center", color=FAINT, size=7)
            continue
        face = COLOURS(0.5 + shade / 2)
        axis.add_patch(Rectangle((left, y), width, TALL, fc=face, ec="white", linewidth=1))
        best = round(value, DIGITS) == round(values.min(), DIGITS)
        axis.text(
            middle, y + TALL / 2, percent(value), ha="center", va="center", size=7, color="black",
            fontweight="bold" if best else "normal",
        )  # fmt: skip
    foot = TALL * len(names)
    for text, line in ((_span(rows["n"]), 0.13), (_span(rows["failures"]), 0.27)):
        axis.text(middle, foot + line, text, ha="center", va="center", size=5.5, color=FAINT)


def _ranks(axis: Axes, ranks: pd.Series, names: list[str], x: float) -> None:
    """Write the mean ranks at the right."""
    axis.text(x, -0.04, "mean\nrank", ha="center", va="bottom", size=7)
    for row, value in enumerate(ranks.reindex(names)):
        text = "–" if np.isnan(value) else f"{value:.1f}"
        bold = "bold" if value == ranks.min() else "normal"
        axis.text(x, TALL * (row + 0.5), text, ha="center", va="center", size=7, fontweight=bold)


def shades_of(values: pd.Series) -> pd.Series:
    """Return where a column's values stand in its colours, in [−1, 1]: 0 is the median.

    ±1 is that of the value farthest from the median, or of `LEAST` of it, if that is more: so that
    scores that hardly differ don't look as if they did.
    """
    median = values.median()
    off = values - median
    most = max(off.abs().max(), LEAST * abs(median))
    return off / most if most > 0 else off


def percent(share: float) -> str:
    """Return a share in % with three significant digits: "15.3", ".544"; "<.001" for less."""
    value = 100 * share
    if value < 0.001:
        return "<.001" if value > 0 else "0"
    return f"{value:#.3g}".rstrip(".").removeprefix("0")


def _span(counts: pd.Series) -> str:
    """Return from which to which a count goes over the scores, "31–40"."""
    low, high = round(counts.min()), round(counts.max())
    return f"{high}" if low == high else f"{low}–{high}"
