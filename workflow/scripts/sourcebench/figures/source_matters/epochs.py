"""How long each source's networks were trained."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from sourcebench.evaluation.statistics import networks
from sourcebench.figures.parts.layout import beside, heading
from sourcebench.figures.parts.style import RC, StudyStyle
from sourcebench.seeds import generator


@rc_context(RC)
def epochs(runs: pd.DataFrame, style: StudyStyle) -> Figure:
    """Draw the epochs that every network was trained, by source (paper §3).

    One dot per network, a box from quartile to quartile around the median, the mean in figures at
    the right; one column per task, one row per architecture.
    """
    style = style.covering(runs)
    table = networks(runs)
    tasks = [task for task in style.tasks if (table["task"] == task).any()]
    variants = style.variants_in(table)
    heights = [0.32 * len(style.sources_in(part)) for _, part in variants]
    size = (2.6 * len(tasks) + 1.4, sum(heights) + 0.55 * len(variants) + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(
        len(variants),
        len(tasks),
        squeeze=False,
        sharex=True,
        sharey="row",
        height_ratios=heights,
    )
    for (label, part), row in zip(variants, grid, strict=True):
        sources = style.sources_in(part)
        row[0].set_yticks(range(len(sources)), [style.sources[source] for source in sources])
        row[0].set_ylim(len(sources) - 0.4, -0.6)
        for task, axis in zip(tasks, row, strict=True):
            heading(axis, style.tasks[task], label, 2.5)
            for i, source in enumerate(sources):
                chosen = (part["task"] == task) & (part["source"] == source)
                _line(axis, table.loc[part.index[chosen], "epochs"], i, style.colours[source])
            axis.tick_params("y", length=0)
    grid[0, 0].set_xlim(0, 1.05 * table["epochs"].max() + 1)
    figure.supxlabel("epochs trained (box: quartiles and median; number: mean)", fontsize=8)
    return figure


def _line(axis: Axes, epochs: pd.Series, y: float, colour: str) -> None:
    """Draw one source's networks."""
    if epochs.empty:
        return
    low, middle, high = epochs.quantile([0.25, 0.5, 0.75])
    axis.barh(y, high - low, 0.5, low, color=colour, alpha=0.18, linewidth=0)
    axis.plot([middle, middle], [y - 0.25, y + 0.25], color=colour, linewidth=1.6)
    spread = generator("figure", "epochs").uniform(-0.2, 0.2, len(epochs))
    axis.scatter(epochs, y + spread, s=6, color=colour, alpha=0.5, linewidths=0)
    beside(axis, y, f"{epochs.mean():.0f}", colour)
