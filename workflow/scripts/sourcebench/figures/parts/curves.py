"""AUROC against p_art: the panels that Figures 3 and 4 are made of."""

import numpy as np
import numpy.typing as npt
import pandas as pd
import seaborn as sns
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from sourcebench.evaluation.intervals import mean_ci
from sourcebench.evaluation.replicates import replicates
from sourcebench.figures.parts.layout import legend_on_top, means_label, source_handles
from sourcebench.figures.parts.overlay import overlay_handles
from sourcebench.figures.parts.style import FAINT, StudyStyle


def panel(axis: Axes, runs: pd.DataFrame, style: StudyStyle, reference: float | None) -> None:
    """Draw one panel's curves over replicates; with one p_art, points with their intervals."""
    if runs["auroc"].notna().sum() == 0:
        axis.text(0.5, 0.5, "no runs", transform=axis.transAxes, ha="center", color=FAINT)
        return
    axis.axhline(0.5, color=FAINT, linewidth=0.6, dashes=(6, 3), zorder=0)
    if reference is not None:
        axis.axhline(reference, color=FAINT, linestyle=":", zorder=0)
    sources = style.sources_in(runs)
    runs = replicates(runs, ["auroc"])
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


def share_ticks(axis: Axes, shares: npt.NDArray[np.float64]) -> None:
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


def curves_legend(
    figure: Figure, runs: pd.DataFrame, style: StudyStyle, targets: list[tuple[str, str]]
) -> None:
    """Put one legend for all panels on top."""
    variants = [label for label, _ in style.variants_in(runs)]
    handles = source_handles(style, style.sources_in(runs))
    handles.append(Line2D([], [], color=FAINT, linewidth=0.6, dashes=(6, 3), label="chance"))
    if any(task in style.references for task, _ in targets):
        handles.append(Line2D([], [], color=FAINT, linestyle=":", label=style.reference_label))
    handles.extend(overlay_handles(runs, style))
    shown = f"{variants[0]}: " if len(variants) == 1 else ""
    legend_on_top(figure, handles, shown + means_label(runs))
