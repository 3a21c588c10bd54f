"""Blocks of lines: one block per task and confounder, one line per source."""

from collections.abc import Collection
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes

from sourcebench.figures.parts.style import FAINT, StudyStyle

GAP = 1.2  # between blocks, in lines
Target = tuple[str, str]
"""A task and a confounder."""


@dataclass(frozen=True)
class Rows:
    """Where lines stand in a panel whose y counts them, the first on top.

    Attributes:
        targets: one block each.
        lines: in every block.
    """

    targets: list[Target]
    lines: int

    @property
    def step(self) -> float:
        """From block to block."""
        return self.lines + GAP

    @property
    def height(self) -> float:
        """Of all blocks, in lines."""
        return self.step * len(self.targets)

    def y(self, target: Target, line: int) -> float:
        """Return where a line of a block stands."""
        return self.step * self.targets.index(target) + line - (self.lines - 1) / 2

    def set_apart(self, axis: Axes) -> None:
        """Draw lines between blocks, and let the panel hold them all."""
        for block in range(1, len(self.targets)):
            axis.axhline(self.step * (block - 0.5), color=FAINT, linewidth=0.3)
        axis.set_ylim(self.step * (len(self.targets) - 0.5), -self.step / 2)
        axis.tick_params("y", length=0)

    def name(
        self, axis: Axes, style: StudyStyle, marked: Collection[Target] = (), mark: str = ""
    ) -> None:
        """Write the blocks' names at the left of a panel, some with a mark."""
        texts = [
            name.replace("\n", f"{mark}\n") if target in marked else name
            for target, name in zip(self.targets, block_names(self.targets, style), strict=True)
        ]
        axis.set_yticks([self.step * block for block in range(len(texts))], texts)


def block_names(targets: list[Target], style: StudyStyle) -> list[str]:
    """Return the titles of confounders, each with its task's below."""
    return [f"{style.confounders[confounder]}\n{style.tasks[task]}" for task, confounder in targets]


def cells_of(table: pd.DataFrame) -> dict[tuple[Target, str], pd.Series]:
    """Return the rows of a table of one variant by target and source; one row for each."""
    return {
        ((str(row["task"]), str(row["confounder"])), str(row["source"])): row
        for _, row in table.iterrows()
    }
