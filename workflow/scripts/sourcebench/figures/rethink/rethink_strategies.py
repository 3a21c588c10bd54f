"""Ways to transfer against each other: how much of the weights is taken over and trained."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from sourcebench.figures.parts.layout import message
from sourcebench.figures.parts.style import BASELINE, MARKERS, PALETTE, RC, StudyStyle
from sourcebench.figures.rethink.blocks import FULL, comparable, is_random, there, whole
from sourcebench.figures.rethink.grid import Column, task_grid

RANDOM = "random initialisation"


@rc_context(RC)
def rethink_strategies(runs: pd.DataFrame, style: StudyStyle) -> Figure:
    """Draw AUROC and AUPRC of every transfer strategy by task; random initialisation for measure.

    One column per architecture and source, mean ± SD over repeats; all training patients.
    """
    style = style.covering(runs)
    chosen = whole(comparable(runs))
    random = is_random(chosen)
    chosen = chosen[~random | (chosen["transfer"] == FULL)]
    chosen = chosen.assign(strategy=chosen["transfer"].where(~random, RANDOM))
    ways = [way for way in chosen["strategy"].unique() if way not in (FULL, RANDOM)]
    if not ways:
        return message("Needs runs of another transfer strategy than full.")
    looks = {
        way: {"color": PALETTE[i % len(PALETTE)], "marker": MARKERS[i % len(MARKERS)]}
        for i, way in enumerate([FULL, *sorted(ways)])
    }
    looks[RANDOM] = {"color": BASELINE["random"], "marker": "x"}
    look = {way: drawn for way, drawn in looks.items() if (chosen["strategy"] == way).any()}
    columns = []
    for arch in there(style.archs, chosen["arch"]):
        here = chosen[chosen["arch"] == arch]
        for source in style.sources_in(here[here["strategy"] != RANDOM]):
            part = here[(here["source"] == source) | (here["strategy"] == RANDOM)]
            columns.append(Column(style.archs[arch], part, style.sources[source]))
    labels = {way: way.replace("_", " ") for way in look}
    line = ("strategy", look, labels)
    return task_grid(columns, style, line, ["task", "arch", "source", "strategy"])
