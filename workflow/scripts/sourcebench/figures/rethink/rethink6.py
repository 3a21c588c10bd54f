"""Truncated networks by depth: *Rethink Transfer Learning*, Figure 6."""

from math import ceil
from typing import Any

import pandas as pd
from matplotlib import colormaps, rc_context
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from sourcebench.figures.parts.layout import heading, message
from sourcebench.figures.parts.style import BASELINE, MARKERS, RC, StudyStyle
from sourcebench.figures.rethink.blocks import (
    GAP,
    chance_handle,
    dots,
    fine_tuned,
    fit,
    handles,
    is_random,
    metrics,
    name_blocks,
    runs_label,
    there,
    whole,
)
from sourcebench.models.registry import ARCHITECTURES, weights_arch

LINE = 0.1  # inches
MOST_ENTRIES = 5  # of a legend, side by side


@rc_context(RC)
def rethink6(runs: pd.DataFrame, style: StudyStyle) -> Figure:
    """Draw AUROC and AUPRC of a network and of its truncated forms by task.

    One row of panels per source and per network that was truncated; in a block the least deep
    network stands on top, in the study's order, the whole one at the bottom. The grey cross is the
    best of the networks that belong to no such family, by mean AUROC over tasks. Mean ± SD over
    repeats; all training patients, all layers fine-tuned.
    """
    style = style.covering(runs)
    chosen = fine_tuned(runs)
    chosen = whole(chosen[~is_random(chosen)])
    families = _families(there(style.archs, chosen["arch"]))
    if not families:
        return message("Needs runs of truncated networks, fine-tuned from a source, p_art = 0.")
    tasks = there(style.tasks, chosen["task"])
    measures = metrics(chosen)
    rows = [
        (source, part, family)
        for source in style.sources_in(chosen)
        for part in [chosen[chosen["source"] == source]]
        for family in families
        if part["arch"].isin(family).any()
    ]
    looks = [_looks(part, family, families) for _, part, family in rows]
    longest = max(len(look) for look in looks)
    height = max(LINE * len(tasks) * (longest + GAP), 1.0)
    size = (7.2, len(rows) * (height + 0.95) + 0.3)
    figure = Figure(figsize=size, layout="constrained")
    places = figure.subfigures(len(rows), 1, squeeze=False)[:, 0]
    drawn_on: dict[str, list[Axes]] = {metric: [] for metric in measures}
    for place, (source, part, family), look in zip(places, rows, looks, strict=True):
        grid = place.subplots(1, len(measures), sharey=True)
        drawn = part[part["arch"].isin(list(look))]
        for axis, (metric, label) in zip(grid, measures.items(), strict=True):
            dots(axis, drawn, metric, ("task", tasks), ("arch", look))
            parent = style.archs.get(family[-1], family[-1])
            heading(axis, label, f"{parent}, {style.sources[source]}")
            drawn_on[metric].append(axis)
        name_blocks(grid[0], [style.tasks[task] for task in tasks], len(look))
        labels = {arch: f"{style.archs[arch]} (best other)" for arch in look if arch not in family}
        entries = [*handles(look, {**style.archs, **labels}), chance_handle(drawn)]
        place.legend(
            handles=entries,
            loc="outside upper center",
            ncols=ceil(len(entries) / ceil(len(entries) / MOST_ENTRIES)),
            frameon=False,
            title=runs_label(drawn, ["task", "arch"]),
            title_fontsize=7,
            columnspacing=1.5,
        )
    for metric, panels in drawn_on.items():
        fit(panels, metric)
    return figure


def _families(archs: list[str]) -> list[list[str]]:
    """Return the families of truncated networks, each in order and with the whole one last."""
    parents = {arch: _parent(arch) for arch in archs}
    families = []
    for parent in dict.fromkeys(parents.values()):
        cut = [arch for arch in archs if parents[arch] == parent and arch != parent]
        if cut:
            families.append([*cut, parent])
    return families


def _parent(arch: str) -> str:
    return weights_arch(arch) if arch in ARCHITECTURES.names() else arch


def _looks(
    runs: pd.DataFrame, family: list[str], families: list[list[str]]
) -> dict[str, dict[str, Any]]:
    """Return a family's looks, the deeper the darker, after the best network of no family."""
    others = runs[~runs["arch"].isin([arch for each in families for arch in each])]
    looks: dict[str, dict[str, Any]] = {}
    if others["auroc"].notna().any():
        means = others.groupby(["arch", "task"])["auroc"].mean().groupby("arch").mean()
        looks[str(means.idxmax())] = {"color": BASELINE["random"], "marker": "X"}
    present = [arch for arch in family if (runs["arch"] == arch).any()]
    for i, arch in enumerate(present):
        depth = i / max(len(present) - 1, 1)
        colour = to_hex(colormaps["viridis"](0.82 - 0.75 * depth))
        looks[arch] = {"color": colour, "marker": MARKERS[i % len(MARKERS)]}
    return looks
