"""Which source is better, and whether the folds can tell."""

from itertools import combinations
from math import ceil

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure

from sourcebench.evaluation.statistics import compare_sources
from sourcebench.figures.parts.layout import SHARE, heading, means_over, message, text_width
from sourcebench.figures.parts.style import FAINT, RC, StudyStyle

LEVEL = 0.05
MOST_COLUMNS = 3
FULL_COLOUR = 0.8


@rc_context(RC)
def permutation(runs: pd.DataFrame, style: StudyStyle) -> Figure:
    """Draw the permutation tests between sources on the o.o.d. test set (paper §3).

    One panel per pair of sources and architecture, one line per task and confounder, one column
    per p_art. A cell has the difference of the mean AUROCs and the test's p, in bold where p is at
    most 0.05 after Holm's adjustment; its colour is that of the better source.
    """
    style = style.covering(runs)
    runs = runs[runs["test_set"] == "ood"]
    variants = [
        (label, compare_sources(part).dropna(subset="difference"))
        for label, part in style.variants_in(runs)
    ]
    table = pd.concat([part for _, part in variants]) if variants else pd.DataFrame()
    if table.empty:
        return message("A comparison needs runs of two sources on the o.o.d. test set.")
    targets = style.targets_in(table)
    shares = sorted(table["p_art"].unique())
    pairs = list(combinations(style.sources_in(runs), 2))
    panels = [(label, part, pair) for label, part in variants for pair in pairs]
    width = min(len(pairs), MOST_COLUMNS)
    rows = ceil(len(panels) / width)
    inches = 0.5 * len(shares)
    titles = {(a, b): f"{style.sources[a]} − {style.sources[b]}" for a, b in pairs}
    lines = int(max(text_width(title, 8, bold=True) for title in titles.values()) > inches)
    if lines:
        titles = {pair: title.replace(" − ", "\n− ") for pair, title in titles.items()}
        inches = max(inches, *(text_width(title, 8, bold=True) for title in titles.values()))
    names = [f"{style.confounders[c]}\n{style.tasks[t]}" for t, c in targets]
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
        _panel(axis, _cells(part, a, b), targets, shares, palette)
    grid[0, 0].set_yticks(range(len(targets)), names)
    grid[0, 0].set_xticks(range(len(shares)), [f"{share:g}" for share in shares])
    figure.supxlabel(SHARE, fontsize=8)
    figure.suptitle(
        "difference of mean o.o.d. AUROC, in the colour of the better source;\n"
        f"below it p of the permutation test over {means_over(runs)};\n{_caveat(table)}",
        fontsize=7,
    )
    return figure


def _caveat(table: pd.DataFrame) -> str:
    """Say what p can tell with so many replicates and tests."""
    cell = table.columns[: table.columns.get_loc("source_a")]
    tests = int(table.groupby(list(cell.drop("p_art")))["p"].count().max())
    floor = table["p_smallest"].min()
    if not floor * tests <= LEVEL:
        return f"too few for any to pass Holm's adjustment for a confounder's {tests} tests"
    return f"bold where p ≤ {LEVEL:g} after Holm's adjustment for a confounder's {tests} tests"


def _cells(table: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """Return the rows that compare `a` with `b`, signed as a − b."""
    there = table[(table["source_a"] == a) & (table["source_b"] == b)]
    turned = table[(table["source_a"] == b) & (table["source_b"] == a)]
    return pd.concat([there, turned.assign(difference=-turned["difference"])])


def _panel(
    axis: Axes,
    cells: pd.DataFrame,
    targets: list[tuple[str, str]],
    shares: list[float],
    colours: LinearSegmentedColormap,
) -> None:
    """Draw one pair of sources."""
    differences = np.full((len(targets), len(shares)), np.nan)
    for cell in cells.to_dict("records"):
        row = targets.index((cell["task"], cell["confounder"]))
        column = shares.index(cell["p_art"])
        differences[row, column] = cell["difference"]
        shade = np.array(colours(0.5 + cell["difference"] / (2 * FULL_COLOUR))[:3])
        axis.text(
            column,
            row,
            _text(cell["difference"], cell["p"]),
            ha="center",
            va="center",
            size=6,
            linespacing=1.3,
            fontweight="bold" if cell["p_holm"] <= LEVEL else "normal",
            color="white" if shade @ (0.299, 0.587, 0.114) < 0.45 else "black",
        )
    axis.imshow(differences, cmap=colours, vmin=-FULL_COLOUR, vmax=FULL_COLOUR, aspect="auto")
    axis.set_xticks(np.arange(len(shares) + 1) - 0.5, minor=True)
    axis.set_yticks(np.arange(len(targets) + 1) - 0.5, minor=True)
    axis.grid(which="minor", color="white", linewidth=1.5)
    axis.tick_params(which="both", length=0)
    axis.spines[:].set_visible(False)
    if not len(cells):
        axis.text(0.5, 0.5, "no runs", transform=axis.transAxes, ha="center", color=FAINT)


def _text(difference: float, p: float) -> str:
    """Return a cell's two lines."""
    first = f"{difference:+.2f}".replace("-", "−") if abs(difference) >= 0.005 else "0.00"
    if np.isnan(p):
        return first
    return f"{first}\np {p:.3f}".replace("p 0.", "p .").removesuffix(".000")
