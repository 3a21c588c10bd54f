"""The paper's Figure 4: noise, by modality."""

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from sourcebench.evaluation.aggregate import Tables
from sourcebench.figures.parts.curves import aurocs, curves_legend, panel, share_ticks
from sourcebench.figures.parts.layout import SHARE, heading, message
from sourcebench.figures.parts.style import RC, StudyStyle


@rc_context(RC)
def figure4(tables: Tables, style: StudyStyle) -> Figure:
    """Draw the o.o.d. AUROC against p_art where the confounder is noise: the paper's Figure 4.

    One row per task (X-ray above, CT below), one column per kind of noise in the order of the
    config: in the paper noise against no noise at the left, high against low noise at the right.
    Mean and 95 % confidence interval over patients and folds. Several architectures (or values of a
    further axis) stand under each other.
    """
    table = aurocs(tables, "ood")
    table = table[table["confounder"].isin(list(style.noises))]
    if table.empty:
        return message("No run has an AUROC on an o.o.d. test set of a noise confounder.")
    style = style.covering(tables["runs"])
    variants = style.variants_in(table)
    bands = [
        (label, part, task, [c for t, c in style.targets_in(part) if t == task])
        for label, part in variants
        for task in dict.fromkeys(t for t, _ in style.targets_in(part))
    ]
    width = max(len(confounders) for *_, confounders in bands)
    size = (max(2.3 * width + 0.7, 4.2), len(bands) * 2.15 + 0.8)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(bands), width, sharex=True, sharey=True, squeeze=False)
    for row, (label, part, task, confounders) in zip(grid, bands, strict=True):
        for axis in row[len(confounders) :]:
            axis.set_axis_off()
        for axis, confounder in zip(row, confounders, strict=False):
            where = style.tasks[task] + (f", {label}" if len(variants) > 1 else "")
            heading(axis, style.confounders[confounder], where, 2.2)
            here = part[(part["task"] == task) & (part["confounder"] == confounder)]
            panel(axis, here, style, style.references.get(task))
        row[0].set(ylim=(-0.03, 1.03), ylabel="o.o.d. AUROC")
    for column in range(width):
        lowest = max(i for i, (*_, names) in enumerate(bands) if len(names) > column)
        grid[lowest, column].tick_params(labelbottom=True)
        share_ticks(grid[lowest, column], np.sort(table["p_art"].unique()))
    figure.supxlabel(SHARE, fontsize=8)
    curves_legend(figure, table, style, style.targets_in(table))
    return figure
