"""Every source against every other, as a grid of numbers: what two figures are made of."""

from dataclasses import dataclass
from itertools import combinations
from math import ceil

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from sourcebench.figures.parts.layout import SHARE, heading, text_width
from sourcebench.figures.parts.rows import Target, block_names
from sourcebench.figures.parts.skill import DAGGER, LACKING, NOTE, unskilled
from sourcebench.figures.parts.style import FAINT, StudyStyle

LEVEL = 0.05
MOST_COLUMNS = 3
FULL_COLOUR = 0.8
HATCH = "#E6E6E6"


@dataclass(frozen=True)
class Pairs:
    """What is written of a pair of sources.

    Attributes:
        table: rows of comparisons.csv, of one test set and quantity.
        p: the column that is written below the difference.
        adjusted: the column that makes a cell bold where it is at most `LEVEL`; "" for none.
        note: what the figure shows, its lines above the panels.
    """

    table: pd.DataFrame
    p: str
    adjusted: str
    note: str


def tests(table: pd.DataFrame, p: str) -> str:
    """Return "6 tests", as many as the largest family has: all pairs and p_art of a confounder."""
    family = [name for name in table.columns[: table.columns.get_loc("of")] if name != "p_art"]
    count = int(table.groupby(family)[p].count().max())
    return f"{count} test{'' if count == 1 else 's'}"


def pairs_grid(pairs: Pairs, style: StudyStyle) -> Figure:
    """Draw the differences between sources, a − b.

    One panel per pair of sources and architecture, one line per task and confounder, one column
    per p_art. A cell has the difference and its p; its colour is that of the source with the
    larger value. Where not both sources have skill it is hatched, with a dagger.

    Args:
        pairs: what is drawn; it has a row at least.
        style: covers the study.
    """
    table = pairs.table
    targets = style.targets_in(table)
    shares = sorted(table["p_art"].unique())
    there = {*table["source_a"], *table["source_b"]}
    couples = list(combinations([name for name in style.sources if name in there], 2))
    panels = [(*variant, couple) for variant in style.variants_in(table) for couple in couples]
    width = min(len(couples), MOST_COLUMNS)
    rows = ceil(len(panels) / width)
    inches = 0.5 * len(shares)
    titles = {(a, b): f"{style.sources[a]} − {style.sources[b]}" for a, b in couples}
    lines = int(max(text_width(title, 8, bold=True) for title in titles.values()) > inches)
    if lines:
        titles = {couple: title.replace(" − ", "\n− ") for couple, title in titles.items()}
        inches = max(inches, *(text_width(title, 8, bold=True) for title in titles.values()))
    names = block_names(targets, style)
    side = max(text_width(name, 7) for name in names) + 0.3
    size = (
        max(width * (inches + 0.15) + side, 5),
        rows * (0.36 * len(targets) + 0.6 + 0.13 * lines) + 0.8,
    )
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(rows, width, squeeze=False, sharex=True, sharey=True)
    for axis in grid.flat[len(panels) :]:
        axis.set_axis_off()
    for axis in list(grid.flat[: len(panels)])[-width:]:
        axis.tick_params(labelbottom=True)
    for axis, (label, part, (a, b)) in zip(grid.flat, panels, strict=False):
        heading(axis, titles[a, b], label)
        colours = [style.colours[b], "white", style.colours[a]]
        palette = LinearSegmentedColormap.from_list("pair", colours)
        _panel(axis, _signed(part, a, b), pairs, targets, shares, palette)
    grid[0, 0].set_yticks(range(len(targets)), names)
    grid[0, 0].set_xticks(range(len(shares)), [f"{share:g}" for share in shares])
    figure.supxlabel(SHARE, fontsize=8)
    dagger = f"\n{NOTE} (either source)" if unskilled(table) else ""
    figure.suptitle(pairs.note + dagger, fontsize=7)
    return figure


def _signed(table: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """Return the rows that compare `a` with `b`, signed as a − b."""
    there = table[(table["source_a"] == a) & (table["source_b"] == b)]
    turned = table[(table["source_a"] == b) & (table["source_b"] == a)]
    return pd.concat([there, turned.assign(difference=-turned["difference"])])


def _panel(
    axis: Axes,
    cells: pd.DataFrame,
    pairs: Pairs,
    targets: list[Target],
    shares: list[float],
    colours: LinearSegmentedColormap,
) -> None:
    """Draw one pair of sources."""
    differences = np.full((len(targets), len(shares)), np.nan)
    for cell in cells.to_dict("records"):
        row = targets.index((cell["task"], cell["confounder"]))
        column = shares.index(cell["p_art"])
        differences[row, column] = cell["difference"]
        skilled = cell["skilled"] not in LACKING
        shade = np.array(colours(0.5 + cell["difference"] / (2 * FULL_COLOUR))[:3])
        ink = "white" if shade @ (0.299, 0.587, 0.114) < 0.45 else "black"
        bold = skilled and pairs.adjusted and cell[pairs.adjusted] <= LEVEL
        if not skilled:
            corner = (column - 0.5, row - 0.5)
            axis.add_patch(
                Rectangle(corner, 1, 1, fc="white", ec=HATCH, hatch="/////", linewidth=0)
            )
        axis.text(
            column,
            row,
            _text(cell["difference"], cell[pairs.p], "" if skilled else DAGGER),
            ha="center",
            va="center",
            size=6,
            linespacing=1.3,
            fontweight="bold" if bold else "normal",
            color=ink if skilled else FAINT,
        )
    axis.imshow(differences, cmap=colours, vmin=-FULL_COLOUR, vmax=FULL_COLOUR, aspect="auto")
    axis.set_xticks(np.arange(len(shares) + 1) - 0.5, minor=True)
    axis.set_yticks(np.arange(len(targets) + 1) - 0.5, minor=True)
    axis.grid(which="minor", color="white", linewidth=1.5)
    axis.tick_params(which="both", length=0)
    axis.spines[:].set_visible(False)
    if not len(cells):
        axis.text(0.5, 0.5, "no runs", transform=axis.transAxes, ha="center", color=FAINT)


def _text(difference: float, p: float, mark: str) -> str:
    """Return a cell's two lines."""
    first = f"{difference:+.2f}".replace("-", "−") if abs(difference) >= 0.005 else "0.00"
    if np.isnan(p):
        return first + mark
    small = "p <.001" if p < 0.0005 else f"p {p:.3f}".replace("p 0.", "p .").removesuffix(".000")
    return f"{first}{mark}\n{small}"
