"""How much a confounder costs each source, at a glance."""

import numpy as np
import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sourcebench.evaluation.intervals import mean_ci
from sourcebench.evaluation.replicates import replicates, unit
from sourcebench.evaluation.statistics import drop_limits, drops
from sourcebench.figures.parts.layout import (
    beside,
    heading,
    legend_on_top,
    means_label,
    message,
    source_handles,
    source_look,
)
from sourcebench.figures.parts.style import FAINT, RC, StudyStyle


@rc_context(RC)
def drop(runs: pd.DataFrame, style: StudyStyle) -> Figure:
    """Draw the o.o.d. AUROC that each source loses from p_art = 0 to the highest p_art.

    One block per task and confounder, one line per source: mean (number at the right) and 95 %
    confidence interval over folds, each fold as a faint dot (over repeats where there is one fold);
    one column per architecture. 0 is a network that ignores the confounder.
    """
    table = drops(runs)
    if table.empty:
        return message("A drop needs runs with p_art = 0 and with a higher p_art.")
    most = table["p_art"].max()
    table = table[table["p_art"] == most]
    over, dot = means_label(table.drop(columns="drop")), unit(table)
    table = replicates(table, ["drop"])
    style = style.covering(runs)
    variants = style.variants_in(table.drop(columns=["replicate", "drop"]))
    targets = style.targets_in(table)
    sources = style.sources_in(table)
    height = 0.17 * len(targets) * (len(sources) + 1.2) + 1.2
    figure = Figure(figsize=(2.9 * len(variants) + 2.2, height), layout="constrained")
    grid = figure.subplots(1, len(variants), squeeze=False, sharex=True, sharey=True)[0]
    step = len(sources) + 1.2
    centres = [step * i for i in range(len(targets))]
    for axis, (label, part) in zip(grid, variants, strict=True):
        heading(axis, label)
        axis.axvline(0, color=FAINT, linewidth=0.6)
        for line in centres[1:]:
            axis.axhline(line - step / 2, color=FAINT, linewidth=0.3)
        for centre, (task, confounder) in zip(centres, targets, strict=True):
            rows = part.index[(part["task"] == task) & (part["confounder"] == confounder)]
            for i, source in enumerate(sources):
                values = table.loc[rows].query("source == @source")["drop"]
                _line(axis, values, centre + i - (len(sources) - 1) / 2, style, source)
        axis.tick_params("y", length=0)
    names = [f"{style.confounders[c]}\n{style.tasks[t]}" for t, c in targets]
    grid[0].set_yticks(centres, names)
    grid[0].set_ylim(centres[-1] + step / 2, -step / 2)
    ends = [axis.dataLim.intervalx for axis in grid]
    low, high = max(np.min(ends), -1), min(np.max([*np.ravel(ends), 0.5]), 1)
    grid[0].set_xlim(low - 0.05, high + 0.05)
    figure.supxlabel(
        f"o.o.d. AUROC lost between $p_{{\\mathrm{{art}}}}$ = 0 and {most:g}", fontsize=8
    )
    legend_on_top(figure, source_handles(style, sources, "none"), f"{over}; dots: {dot}s")
    return figure


def _line(axis: Axes, values: pd.Series, y: float, style: StudyStyle, source: str) -> None:
    """Draw one source's replicates, mean and interval."""
    mean, low, high = mean_ci(values, limits=drop_limits())
    colour = style.colours[source]
    if mean != mean:
        return
    axis.scatter(values, [y + 0.3] * len(values), s=5, color=colour, alpha=0.5, linewidths=0)
    axis.plot([low, high], [y, y], color=colour, linewidth=1.2)
    axis.plot(mean, y, markersize=6, **source_look(style, source))
    beside(axis, y, f"{mean:.2f}".replace("-", "−"), colour)
