"""Transfer against random initialisation: *Rethink Transfer Learning*, Figure 3."""

import pandas as pd
from matplotlib import rc_context
from matplotlib.figure import Figure

from sourcebench.figures.parts.layout import message, source_look
from sourcebench.figures.parts.style import RC, StudyStyle
from sourcebench.figures.rethink.blocks import fine_tuned, source_looks, there, whole
from sourcebench.figures.rethink.grid import Column, task_grid


@rc_context(RC)
def rethink3(runs: pd.DataFrame, style: StudyStyle) -> Figure:
    """Draw AUROC and AUPRC of every source, random initialisation among them, by task.

    One column per architecture, one block per task, mean ± SD over repeats; all training patients,
    all layers fine-tuned.
    """
    style = style.covering(runs)
    chosen = whole(fine_tuned(runs))
    if chosen.empty:
        return message("Needs fine-tuned runs (transfer: full) with p_art = 0.")
    columns = [
        Column(style.archs[arch], chosen[chosen["arch"] == arch])
        for arch in there(style.archs, chosen["arch"])
    ]
    look = source_looks(style, chosen, source_look)
    line = ("source", look, dict(style.sources))
    return task_grid(columns, style, line, ["task", "arch", "source"])
