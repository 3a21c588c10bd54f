"""Shared by the figures of *Rethink Transfer Learning*: which runs, which means, dots in blocks."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal, TypeVar

import numpy as np
import pandas as pd
from matplotlib.artist import Artist
from matplotlib.axes import Axes
from matplotlib.lines import Line2D

from sourcebench.axes import FURTHER
from sourcebench.evaluation.aggregate import axes
from sourcebench.figures.parts.style import BASELINE, FAINT, StudyStyle

FULL = "full"
DEFAULTS: Mapping[str, Any] = {axis.name: axis.default for axis in FURTHER if not axis.again}
"""The further axes of cells, and what a table without them stands for."""

T = TypeVar("T")

GAP = 1.1  # between blocks, in lines
Look = Mapping[str, Mapping[str, Any]]
"""What a line stands for → how its marker is drawn."""


def comparable(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the runs without any confounder, each once, with the axes of these studies.

    Args:
        runs: the table of runs.

    Returns:
        The rows of p_art = 0 on the clean test set; the further axes of cells, such as `transfer`
        and `fraction`, are there in any case.
    """
    clean = runs[(runs["test_set"] == "clean") & (runs["p_art"] == 0)]
    missing = {name: value for name, value in DEFAULTS.items() if name not in clean}
    clean = clean.assign(**missing).astype({a.name: a.dtype for a in FURTHER if a.name in DEFAULTS})
    once: pd.DataFrame = clean.drop_duplicates([n for n in axes(clean) if n != "confounder"])
    return once


def fine_tuned(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the `comparable` runs in which every layer was trained, from wherever it started."""
    clean = comparable(runs)
    chosen: pd.DataFrame = clean[clean["transfer"] == FULL]
    return chosen


def whole(runs: pd.DataFrame) -> pd.DataFrame:
    """Keep the runs on the largest share of the training patients."""
    largest: pd.DataFrame = runs[runs["fraction"] == runs["fraction"].max()]
    return largest


def is_random(runs: pd.DataFrame) -> pd.Series:
    """Tell which runs start from random weights."""
    return runs["source"].isin(list(BASELINE))


def metrics(runs: pd.DataFrame) -> dict[str, str]:
    """Return the two metrics and their names: AUPRC after Davis and Goadrich where it is there."""
    exact = "auprc_dg" in runs and runs["auprc_dg"].notna().any()
    return {
        "auroc": "AUROC",
        "auprc_dg" if exact else "auprc": "AUPRC" if exact else "AUPRC (average precision)",
    }


def spread(values: pd.Series) -> tuple[float, float]:
    """Return mean and sample standard deviation (N − 1) of runs; NaN where they are too few."""
    return float(values.mean()), float(values.std(ddof=1))


def runs_label(runs: pd.DataFrame, cell: Sequence[str]) -> str:
    """Return what means stand on: "mean ± SD over 3 repeats".

    Args:
        runs: those that are drawn.
        cell: columns that set means apart.
    """
    counts = runs.groupby(list(cell)).size()
    low, high = int(counts.min()), int(counts.max())
    if high == 1:
        return "one run each, hence no SD"
    span = str(high) if low == high else f"{low}–{high}"
    unit = "runs" if "repeat" not in runs or runs["fold"].nunique() > 1 else "repeats"
    single = "; no bar: one run" if low == 1 else ""
    return f"mean ± SD over {span} {unit}{single}"


def prevalence(runs: pd.DataFrame, metric: str) -> float:
    """Return what a ranking that says nothing scores in these runs; NaN where it isn't known."""
    if metric == "auroc":
        return 0.5
    return float(runs["prevalence"].mean()) if "prevalence" in runs else np.nan


def dots(
    axis: Axes,
    runs: pd.DataFrame,
    metric: str,
    block: tuple[str, Sequence[str]],
    line: tuple[str, Look],
) -> None:
    """Draw mean ± SD of every line in every block, from the top downwards.

    Args:
        axis: where to draw; its x is the metric, its y counts lines.
        runs: those of this panel.
        metric: a column of `runs`.
        block: a column and its values, one block of lines each.
        line: a column, and its values with their looks, one line each in every block.
    """
    step = len(line[1]) + GAP
    for i, name in enumerate(block[1]):
        rows = runs[runs[block[0]] == name]
        chance = prevalence(rows, metric)
        ends = (i * step - (step - 0.3) / 2, i * step + (step - 0.3) / 2)
        axis.plot([chance, chance], ends, color=FAINT, linewidth=0.9, alpha=0.7, zorder=0)
        if i and len(line[1]) > 1:
            axis.axhline((i - 0.5) * step, color=FAINT, linewidth=0.3)
        for j, (value, look) in enumerate(line[1].items()):
            mean, sd = spread(rows.loc[rows[line[0]] == value, metric])
            y = i * step + j - (len(line[1]) - 1) / 2
            if sd == sd:
                axis.plot([mean - sd, mean + sd], [y, y], color=look["color"], linewidth=1.1)
            axis.plot(mean, y, linestyle="none", **{"markersize": 4.5, **look})
    axis.tick_params("y", length=0)


def name_blocks(axis: Axes, labels: Sequence[str], lines: int) -> None:
    """Write the blocks' names at the left, the first on top."""
    step = lines + GAP
    axis.set_yticks([i * step for i in range(len(labels))], labels)
    axis.set_ylim((len(labels) - 0.5) * step, -0.5 * step)


def fit(panels: Sequence[Axes], metric: str) -> None:
    """Give panels of one metric one scale that holds all there is, within [0, 1] and a margin."""
    ends = np.concatenate([axis.dataLim.intervalx for axis in panels])
    ends = ends[np.isfinite(ends)]
    low, high = (ends.min(), ends.max()) if len(ends) else (0.0, 1.0)
    if metric == "auroc":
        low = min(low, 0.5)
    margin = 0.04 * max(high - low, 0.1)
    for axis in panels:
        axis.set_xlim(max(low - margin, -0.03), min(high + margin, 1.03))
        axis.xaxis.set_major_formatter(lambda x, _: f"{round(x, 4):g}".removeprefix("0") or "0")


def handles(look: Look, labels: Mapping[str, str]) -> list[Artist]:
    """Return the legend's entries of lines."""
    return [
        Line2D([], [], linestyle="none", markersize=5, label=labels.get(name, name), **drawn)
        for name, drawn in look.items()
    ]


def chance_handle(runs: pd.DataFrame, line: Literal["-", "--"] = "-") -> Artist:
    """Return the legend's entry of the level that ranking at random reaches."""
    known = "prevalence" in runs
    label = "chance (AUPRC: prevalence)" if known else "chance (AUROC)"
    return Line2D([], [], color=FAINT, linewidth=0.9, alpha=0.7, linestyle=line, label=label)


def chunks(names: Sequence[T], most: int) -> list[Sequence[T]]:
    """Break what would stand side by side into rows of nearly equal lengths, `most` at most."""
    rows = -(-len(names) // most)
    width = -(-len(names) // max(rows, 1))
    return [names[i : i + width] for i in range(0, len(names), max(width, 1))]


def there(names: Mapping[str, str], values: pd.Series) -> list[str]:
    """Return those of the names, in their order, that are among the values."""
    return [name for name in names if (values == name).any()]


def source_looks(
    style: StudyStyle, runs: pd.DataFrame, look: Callable[[StudyStyle, str], dict[str, Any]]
) -> dict[str, dict[str, Any]]:
    """Return the looks of the sources that have runs, in display order."""
    return {source: look(style, source) for source in style.sources_in(runs)}
