"""The paper's Figure 4: noise, by modality."""

import numpy as np
from matplotlib import rc_context
from matplotlib.figure import Figure

from sourcebench.evaluation.aggregate import Tables
from sourcebench.figures.parts.curves import aurocs, cells_on, curves_legend, panel, share_ticks
from sourcebench.figures.parts.layout import SHARE, heading, message
from sourcebench.figures.parts.overlay import overlay, overlay_label, published_in
from sourcebench.figures.parts.style import RC, StudyStyle


@rc_context(RC)
def figure4(tables: Tables, style: StudyStyle) -> Figure:
    """Draw the o.o.d. AUROC against p_art where the confounder is noise: the paper's Figure 4.

    One row per task (X-ray above, CT below), one column per kind of noise in the order of the
    config: in the paper noise against no noise at the left, high against low noise at the right.
    Mean and 95 % confidence interval over patients and folds. Several architectures (or values of a
    further axis) stand under each other. Where the paper's numbers can be compared, a row below a
    task's does so, in their metric.
    """
    cells = cells_on(tables, "ood")
    cells = cells[cells["confounder"].isin(list(style.noises))]
    if aurocs(cells).empty:
        return message("No run has an AUROC on an o.o.d. test set of a noise confounder.")
    style = style.covering(tables["runs"])
    variants = style.variants_in(cells)
    bands = [
        (label, rows, task, [c for _, c in style.targets_in(rows)], compared)
        for label, part in variants
        for task in dict.fromkeys(t for t, _ in style.targets_in(part))
        for rows in [part[part["task"] == task]]
        for compared in ([False, True] if published_in(rows, style) else [False])
    ]
    width = max(len(confounders) for *_, confounders, _ in bands)
    size = (max(2.3 * width + 0.7, 4.2), len(bands) * 2.15 + 0.8)
    figure = Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(bands), width, sharex=True, sharey=True, squeeze=False)
    for row, (label, part, task, confounders, compared) in zip(grid, bands, strict=True):
        for axis in row[len(confounders) :]:
            axis.set_axis_off()
        for axis, confounder in zip(row, confounders, strict=False):
            here = part[part["confounder"] == confounder]
            if compared:
                overlay(axis, here, style)
            else:
                panel(axis, here, style, style.references.get(task))
            if axis.axison:
                where = style.tasks[task] + (f", {label}" if len(variants) > 1 else "")
                heading(axis, style.confounders[confounder], where, 2.2)
        first = next(axis for axis in row if axis.axison)
        shown = overlay_label(part, style) if compared else "o.o.d. AUROC"
        first.set(ylim=(-0.03, 1.03), ylabel=shown)
        first.tick_params(labelleft=True)
    for column in range(width):
        lowest = max(i for i, row in enumerate(grid) if row[column].axison)
        grid[lowest, column].tick_params(labelbottom=True)
        share_ticks(grid[lowest, column], np.sort(cells["p_art"].unique()))
    figure.supxlabel(SHARE, fontsize=8)
    curves_legend(figure, cells, style, style.targets_in(cells))
    return figure
