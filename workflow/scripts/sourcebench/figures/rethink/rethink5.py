"""All networks with transfer: *Rethink Transfer Learning*, Figure 5."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sourcebench.figures.parts.layout import beside, legend_on_top, message, source_look
from sourcebench.figures.parts.style import INK, RC, StudyStyle
from sourcebench.figures.rethink.blocks import (
    GAP,
    Look,
    chance_handle,
    chunks,
    dots,
    fine_tuned,
    fit,
    handles,
    is_random,
    metrics,
    name_blocks,
    runs_label,
    source_looks,
    spread,
    there,
    whole,
)

MOST_TASKS = 3


@rc_context(RC)
def rethink5(runs: pd.DataFrame, style: StudyStyle) -> Figure:
    """Draw AUROC and AUPRC of every network that was fine-tuned from a source.

    Two columns per task, one line per network and source: mean ± SD over repeats, the mean in
    figures at the right, a task's best in bold; all training patients. Networks stand in the
    study's order.
    """
    style = style.covering(runs)
    chosen = fine_tuned(runs)
    chosen = whole(chosen[~is_random(chosen)])
    if chosen.empty:
        return message("Needs runs that were fine-tuned (transfer: full) from a source, p_art = 0.")
    archs = there(style.archs, chosen["arch"])
    look = source_looks(style, chosen, source_look)
    measures = metrics(chosen)
    bands = chunks(there(style.tasks, chosen["task"]), MOST_TASKS)
    width = max(len(tasks) for tasks in bands)
    height = 0.145 * len(archs) * (len(look) + 0.35 * GAP) + 0.75
    size = (max(3.9 * width + 1.1, 5.2), len(bands) * height + 0.5)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(bands), 2 * width, squeeze=False, sharey=True)
    for tasks, row in zip(bands, grid, strict=True):
        for axis in row[2 * len(tasks) :]:
            axis.set_axis_off()
        panels = [(task, metric) for task in tasks for metric in measures]
        for axis, (task, metric) in zip(row, panels, strict=False):
            here = chosen[chosen["task"] == task]
            dots(axis, here, metric, ("arch", archs), ("source", look))
            _numbers(axis, here, metric, archs, look)
            if metric == "auroc":  # over both panels
                axis.set_title(style.tasks[task], loc="left", fontweight="bold")
            axis.set_xlabel(measures[metric])
            fit([axis], metric)
    name_blocks(grid[0, 0], [style.archs[arch] for arch in archs], len(look))
    label = runs_label(chosen, ["task", "arch", "source"])
    entries = [*handles(look, style.sources), chance_handle(chosen)]
    legend_on_top(figure, entries, f"{label}; bold: best mean")
    return figure


def _numbers(axis: Axes, runs: pd.DataFrame, metric: str, archs: list[str], look: Look) -> None:
    """Write every mean at the right, the highest in bold."""
    means = {
        (i, j): spread(runs.loc[(runs["arch"] == arch) & (runs["source"] == source), metric])[0]
        for i, arch in enumerate(archs)
        for j, source in enumerate(look)
    }
    best = max((mean for mean in means.values() if mean == mean), default=None)
    for (i, j), mean in means.items():
        if mean != mean:
            continue
        y = i * (len(look) + GAP) + j - (len(look) - 1) / 2
        beside(axis, y, f"{mean:.3f}".removeprefix("0"), INK)
        if mean == best:
            axis.texts[-1].set_fontweight("bold")
