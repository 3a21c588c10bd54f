"""How a study's figures look: names, order and colours, the same in every figure."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import pandas as pd

from sourcebench.axes import FURTHER
from sourcebench.evaluation.published.match import Curve

# Okabe and Ito (2008), told apart with any colour vision, less the yellow that white paper drowns.
PALETTE = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
MARKERS = ("o", "s", "^", "D", "v", "P", "X")
# Random initialisation is not a source but what the sources are measured against.
BASELINE = {"random": "#7F7F7F"}
INK, FAINT = "#262626", "#8C8C8C"

RC: dict[Any, Any] = {
    "font.family": "DejaVu Sans",  # comes with matplotlib: the same on every machine
    "font.size": 8,
    "axes.titlesize": 8,
    "axes.labelsize": 8,
    "xtick.labelsize": 7,
    "ytick.labelsize": 7,
    "legend.fontsize": 8,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "text.color": INK,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "figure.facecolor": "white",
    "pdf.fonttype": 42,  # text stays text
}


@dataclass(frozen=True)
class StudyStyle:
    """Display names, in display order; names that are not listed follow as they are.

    Attributes:
        sources: source → label ("RadImageNet").
        confounders: confounder → title ("Tag").
        noises: the confounders that are noise, which the paper's Figure 4 is about.
        tasks: task → title ("Lung mass (chest X-ray)").
        archs: architecture → label ("ResNet50").
        references: task → AUROC of another method, drawn for orientation (the paper's Figure 3).
        reference_label: what that method is called in the legend.
        colours: source → colour, where the palette's is not wanted.
        scores: confidence scores, in the order of the config.
        published: curves of a paper that does the same (`evaluation.published.match.Curve`).
    """

    sources: Mapping[str, str] = field(default_factory=dict)
    confounders: Mapping[str, str] = field(default_factory=dict)
    noises: Collection[str] = ()
    tasks: Mapping[str, str] = field(default_factory=dict)
    archs: Mapping[str, str] = field(default_factory=dict)
    references: Mapping[str, float] = field(default_factory=dict)
    reference_label: str = "reference"
    colours: Mapping[str, str] = field(default_factory=dict)
    scores: Sequence[str] = ()
    published: Sequence[Curve] = ()

    def covering(self, runs: pd.DataFrame) -> "StudyStyle":
        """Return the style with every name in `runs` listed, and every source given a colour."""

        def ordered(known: Mapping[str, str], column: str) -> dict[str, str]:
            new = {name: name for name in sorted(runs[column].unique()) if name not in known}
            return {**known, **new}

        sources = ordered(self.sources, "source")
        fixed = {**BASELINE, **self.colours}
        free = [name for name in sources if name not in fixed]
        palette = {name: PALETTE[i % len(PALETTE)] for i, name in enumerate(free)}
        return replace(
            self,
            sources=sources,
            confounders=ordered(self.confounders, "confounder"),
            tasks=ordered(self.tasks, "task"),
            archs=ordered(self.archs, "arch"),
            colours={**palette, **fixed},
        )

    def marker(self, source: str) -> str:
        """Return a source's marker, so that the curves differ without colour too."""
        return MARKERS[list(self.sources).index(source) % len(MARKERS)]

    def sources_in(self, runs: pd.DataFrame) -> list[str]:
        """Return the sources that have runs, in display order."""
        return [name for name in self.sources if (runs["source"] == name).any()]

    def targets_in(self, runs: pd.DataFrame) -> list[tuple[str, str]]:
        """Return the pairs (task, confounder) that have runs, in display order."""
        there = set(zip(runs["task"], runs["confounder"], strict=True))
        pairs = [(task, confounder) for task in self.tasks for confounder in self.confounders]
        return [pair for pair in pairs if pair in there]

    def variants_in(self, runs: pd.DataFrame) -> list[tuple[str, pd.DataFrame]]:
        """Split runs, or the rows of a table made of them, into those that one panel may show.

        Returns:
            (label, runs) per architecture and value of every further axis but the repeat, in
            display order; the label names the axes that vary.
        """
        further = [axis.name for axis in FURTHER if not axis.again and axis.name in runs]
        parts = []
        for arch, label in self.archs.items():
            for values, part in runs[runs["arch"] == arch].groupby(["arch", *further]):
                extras = [
                    f"{name} {value:g}" if isinstance(value, float) else f"{name} {value}"
                    for name, value in zip(further, values[1:], strict=True)
                    if runs[name].nunique() > 1
                ]
                parts.append((", ".join([label, *extras]), part))
        return parts
