"""A grid of panels of dots: what is compared in columns, AUROC over AUPRC, tasks in blocks."""

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sourcebench.figures.parts.layout import heading, legend_on_top
from sourcebench.figures.parts.style import StudyStyle
from sourcebench.figures.rethink.blocks import (
    GAP,
    Look,
    chance_handle,
    chunks,
    dots,
    fit,
    handles,
    metrics,
    name_blocks,
    runs_label,
    there,
)

MOST_COLUMNS = 6
LINE = 0.095  # inches


@dataclass(frozen=True)
class Column:
    """A column of the grid: its heading and its runs."""

    title: str
    runs: pd.DataFrame
    subtitle: str = ""


def task_grid(
    columns: Sequence[Column],
    style: StudyStyle,
    line: tuple[str, Look, dict[str, str]],
    cell: Sequence[str],
) -> Figure:
    """Draw every column's runs by task: AUROC, and beside or below it AUPRC.

    Args:
        columns: from the left to the right; more than six are broken into rows.
        style: covering all runs.
        line: the column of the runs that sets lines apart, its values' looks and labels.
        cell: columns of the runs that set means apart.
    """
    name, look, labels = line
    runs = pd.concat([column.runs for column in columns])
    tasks = there(style.tasks, runs["task"])
    measures = metrics(runs)
    pairs = [(column, metric) for metric in measures for column in columns]
    if len(pairs) <= MOST_COLUMNS:
        rows = [pairs]
    else:
        parts = chunks(columns, MOST_COLUMNS)
        rows = [[(column, metric) for column in part] for part in parts for metric in measures]
    width = max(len(row) for row in rows)
    height = max(LINE * len(tasks) * (len(look) + GAP), 0.8)
    size = (1.55 * width + 1.6, len(rows) * (height + 0.6) + 0.5)
    figure = Figure(figsize=(max(size[0], 4.6), size[1]), layout="constrained")
    grid = figure.subplots(len(rows), width, squeeze=False, sharey=True)
    drawn: dict[str, list[Axes]] = {metric: [] for metric in measures}
    for row, panels in zip(rows, grid, strict=True):
        for axis, (column, metric) in zip(panels, row, strict=False):
            dots(axis, column.runs, metric, ("task", tasks), (name, look))
            heading(axis, column.title, column.subtitle)
            axis.set_xlabel(measures[metric])
            drawn[metric].append(axis)
        for axis in panels[len(row) :]:
            axis.set_axis_off()
    for metric, panels in drawn.items():
        fit(panels, metric)
    name_blocks(grid[0, 0], [style.tasks[task] for task in tasks], len(look))
    entries = [*handles(look, labels), chance_handle(runs)]
    legend_on_top(figure, entries, runs_label(runs, cell))
    return figure
