"""The paper's Figure 3: AUROC over p_art, out of distribution above, in distribution below."""

from math import ceil

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure
from matplotlib.lines import Line2D

from sourcebench.evaluation.statistics import mean_ci
from sourcebench.figures import FIGURES
from sourcebench.figures.layout import (
    SHARE,
    heading,
    legend_on_top,
    means_label,
    message,
    source_handles,
)
from sourcebench.figures.style import FAINT, RC, StudyStyle

ROWS = {"ood": "o.o.d. AUROC", "iid": "i.i.d. AUROC"}
MOST_COLUMNS = 6


@FIGURES.register("figure3")
@rc_context(RC)
def figure3(runs: pd.DataFrame, style: StudyStyle) -> Figure:
    """Draw the AUROC of every source against p_art: the paper's Figure 3.

    One column per task and confounder; the o.o.d. test set above, the i.i.d. one below, to the
    same scale. Mean and 95 % t-interval over folds. Several architectures (or values of a further
    axis) stand under each other; more than six columns are broken into equal rows.
    """
    runs = runs[runs["test_set"].isin(list(ROWS))]
    if runs["auroc"].notna().sum() == 0:
        return message("No run has an AUROC on an i.i.d. or o.o.d. test set.")
    style = style.covering(runs)
    targets = style.targets_in(runs)
    lines = ceil(len(targets) / MOST_COLUMNS)
    width = ceil(len(targets) / lines)
    bands = [
        (label, part, targets[start : start + width])
        for label, part in style.variants_in(runs)
        for start in range(0, len(targets), width)
    ]
    limits = _limits(runs)
    tall = sum(high - low for low, high in limits.values())
    size = (max(1.75 * width + 0.7, 4.2), len(bands) * (1.75 * tall + 0.95) + 0.4)
    figure = Figure(figsize=size, layout="constrained")
    figures = figure.subfigures(len(bands), 1, squeeze=False)[:, 0]
    several = len(style.variants_in(runs)) > 1
    for place, (label, part, chunk) in zip(figures, bands, strict=True):
        _band(place, part, style, chunk, width, limits)
        if several:
            place.suptitle(label, x=0.01, ha="left", fontweight="bold", fontsize=9)
    _legend(figure, runs, style, targets)
    return figure


def _limits(runs: pd.DataFrame) -> dict[str, tuple[float, float]]:
    """Return the y limits of the rows there are: o.o.d. all of [0, 1], i.i.d. what it needs."""
    there = [name for name in ROWS if (runs["test_set"] == name).any()]
    lowest = runs.loc[runs["test_set"] == "iid", "auroc"].min()
    floor = {"ood": 0.0, "iid": float(np.clip(np.floor(lowest * 10 - 0.5) / 10, 0, 0.4))}
    return {name: (floor[name] - 0.03, 1.03) for name in there}


def _band(
    place: SubFigure,
    runs: pd.DataFrame,
    style: StudyStyle,
    targets: list[tuple[str, str]],
    width: int,
    limits: dict[str, tuple[float, float]],
) -> None:
    """Draw one row of columns."""
    heights = [high - low for low, high in limits.values()]
    grid = place.subplots(
        len(limits), width, sharex=True, sharey="row", squeeze=False, height_ratios=heights
    )
    for axis in grid[:, len(targets) :].flat:
        axis.set_axis_off()
    for column, (task, confounder) in enumerate(targets):
        heading(grid[0, column], style.confounders[confounder], style.tasks[task])
        here = runs[(runs["task"] == task) & (runs["confounder"] == confounder)]
        for row, (test_set, limit) in enumerate(limits.items()):
            axis = grid[row, column]
            axis.set_ylim(limit)
            axis.set_ylabel(ROWS[test_set] if column == 0 else "")
            _panel(axis, here[here["test_set"] == test_set], style, style.references.get(task))
        _ticks(grid[-1, column], np.sort(runs["p_art"].unique()))
    place.supxlabel(SHARE, fontsize=8)


def _panel(axis: Axes, runs: pd.DataFrame, style: StudyStyle, reference: float | None) -> None:
    """Draw one panel's curves; with one p_art, points side by side with their intervals."""
    if runs["auroc"].notna().sum() == 0:
        axis.text(0.5, 0.5, "no runs", transform=axis.transAxes, ha="center", color=FAINT)
        return
    axis.axhline(0.5, color=FAINT, linewidth=0.6, dashes=(6, 3), zorder=0)
    if reference is not None:
        axis.axhline(reference, color=FAINT, linestyle=":", zorder=0)
    sources = style.sources_in(runs)
    alpha = min(0.15, 0.45 / len(sources))
    single = runs["p_art"].nunique() == 1
    offset = dict.fromkeys(sources, 0.0)
    if single:
        middle = (len(sources) - 1) / 2
        offset = {source: 0.06 * (i - middle) for i, source in enumerate(sources)}
    sns.lineplot(
        runs.assign(x=runs["p_art"] + runs["source"].map(offset)),
        x="x",
        y="auroc",
        hue="source",
        hue_order=sources,
        palette=style.colours,
        style="source",
        style_order=sources,
        markers={source: style.marker(source) for source in sources},
        dashes=False,
        errorbar=_interval,
        err_style="bars" if single else "band",
        err_kws={"linewidth": 1.2} if single else {"alpha": alpha, "linewidth": 0},
        linewidth=1.4,
        markersize=5,
        markeredgewidth=0.5,
        legend=False,
        clip_on=False,
        ax=axis,
    )
    axis.set(xlabel="", ylabel=axis.get_ylabel())


def _interval(values: pd.Series) -> tuple[float, float]:
    """Return the 95 % interval as seaborn wants it."""
    return mean_ci(values)[1:]


def _ticks(axis: Axes, shares: npt.NDArray[np.float64]) -> None:
    """Mark every p_art where it truly lies, and name those that have room for a name."""
    span = max(shares[-1] - shares[0], 0.2)
    named: list[float] = []
    for share in shares:
        if not named or share - named[-1] > 0.09 * span:
            named.append(float(share))
    axis.set_xticks(named, [f"{share:g}".removeprefix("0") or "0" for share in named])
    axis.set_xticks([share for share in shares if share not in named], minor=True)
    middle = (shares[0] + shares[-1]) / 2
    axis.set_xlim(middle - 0.55 * span, middle + 0.55 * span)


def _legend(
    figure: Figure, runs: pd.DataFrame, style: StudyStyle, targets: list[tuple[str, str]]
) -> None:
    """Put one legend for all panels on top."""
    variants = [label for label, _ in style.variants_in(runs)]
    handles = source_handles(style, style.sources_in(runs))
    handles.append(Line2D([], [], color=FAINT, linewidth=0.6, dashes=(6, 3), label="chance"))
    if any(task in style.references for task, _ in targets):
        handles.append(Line2D([], [], color=FAINT, linestyle=":", label=style.reference_label))
    shown = f"{variants[0]}: " if len(variants) == 1 else ""
    legend_on_top(figure, handles, shown + means_label(runs))
