"""How much a confounder costs each source, at a glance."""

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sourcebench.axes import AXES
from sourcebench.evaluation.aggregate import Tables
from sourcebench.evaluation.replicates import replicates, unit
from sourcebench.figures.parts.layout import (
    beside,
    heading,
    legend_on_top,
    means_label,
    message,
    source_handles,
)
from sourcebench.figures.parts.rows import Rows
from sourcebench.figures.parts.skill import DAGGER, LACKING, ink_of, look_of, skill_notes
from sourcebench.figures.parts.style import FAINT, RC, StudyStyle

LINE = 0.17  # inches


@rc_context(RC)
def drop(tables: Tables, style: StudyStyle) -> Figure:
    """Draw the o.o.d. AUROC that each source loses from p_art = 0 to the highest p_art.

    One block per task and confounder, one line per source: mean (number at the right) and 95 %
    confidence interval, each fold as a faint dot (each repeat where there is one fold); one column
    per architecture. 0 is a network that ignores the confounder, if it has learned something.
    """
    table = tables["drop"]
    table = table if table.empty else table.dropna(subset="drop")
    if table.empty:
        return message("A drop needs runs with p_art = 0 and with a higher p_art.")
    most = table["p_art"].max()
    table = table[table["p_art"] == most]
    runs = tables["runs"]
    style = style.covering(runs)
    lost = _lost(runs, most)
    variants = style.variants_in(table)
    sources = style.sources_in(table)
    rows = Rows(style.targets_in(table), len(sources))
    size = (2.9 * len(variants) + 2.2, LINE * rows.height + 1.2)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(1, len(variants), squeeze=False, sharex=True, sharey=True)[0]
    for axis, (label, part) in zip(grid, variants, strict=True):
        heading(axis, label)
        axis.axvline(0, color=FAINT, linewidth=0.6)
        for _, row in part.iterrows():
            target = (row["task"], row["confounder"])
            y = rows.y(target, sources.index(row["source"]))
            _line(axis, row, _of(lost, row), y, style)
        rows.set_apart(axis)
    rows.name(grid[0], style)
    ends = [axis.dataLim.intervalx for axis in grid]
    low, high = max(np.min(ends), -1), min(np.max([*np.ravel(ends), 0.5]), 1)
    grid[0].set_xlim(low - 0.05, high + 0.05)
    figure.supxlabel(
        f"o.o.d. AUROC lost between $p_{{\\mathrm{{art}}}}$ = 0 and {most:g}", fontsize=8
    )
    handles = source_handles(style, sources, "none")
    shown = f"{means_label(table)}; dots: {unit(runs)}s"
    legend_on_top(figure, handles, shown, *skill_notes(table))
    return figure


def _lost(runs: pd.DataFrame, most: float) -> pd.DataFrame:
    """Return what each fold loses on the o.o.d. test set from p_art = 0 to the highest.

    Repeats of a fold are averaged; where there is one fold, each stands for itself.

    Returns:
        The axes of cells less p_art, `replicate` and `drop`.
    """
    names = [axis.name for axis in AXES if axis.name in runs]
    each = replicates(runs.loc[runs["test_set"] == "ood", [*names, "auroc"]], ["auroc"])
    zero, top = (each[each["p_art"] == share].drop(columns="p_art") for share in (0, most))
    pair = [name for name in zero if name != "auroc"]
    both = zero.merge(top, on=pair, suffixes=("_before", ""))
    both["drop"] = both.pop("auroc_before") - both.pop("auroc")
    return both


def _of(lost: pd.DataFrame, row: pd.Series) -> pd.Series:
    """Return the drops of the folds of a cell."""
    keys = lost.columns.drop(["replicate", "drop"])
    same = np.logical_and.reduce([lost[name] == row[name] for name in keys])
    return lost.loc[same, "drop"]


def _line(axis: Axes, row: pd.Series, folds: pd.Series, y: float, style: StudyStyle) -> None:
    """Draw one source's folds, mean and interval."""
    skilled = row["skilled"] not in LACKING
    look = look_of(style, row["source"], skilled=skilled)
    colour = look["color"]
    axis.scatter(folds, [y + 0.3] * len(folds), s=5, color=colour, alpha=0.5, linewidths=0)
    axis.plot([row["low"], row["high"]], [y, y], color=colour, linewidth=1.2)
    axis.plot(row["drop"], y, markersize=6, **look)
    number = f"{row['drop']:.2f}".replace("-", "−")
    text = number if skilled else f"{number} {DAGGER}"
    beside(axis, y, text, ink_of(style, row["source"], skilled=skilled))
