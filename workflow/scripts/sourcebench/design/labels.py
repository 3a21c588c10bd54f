"""Classes: how many a task has, and which of them the artifact goes with."""

from collections.abc import Mapping

import pandas as pd

from sourcebench import classes as names
from sourcebench.design.rows import Design
from sourcebench.errors import SourceBenchError

CONFOUNDED = 1
"""The class that carries the artifact unless a design says another: of two, the positive one."""


def classes(designs: Mapping[str, Design]) -> int:
    """Return how many classes there are, 2 or more.

    Args:
        designs: a task's, of any confounders.

    Raises:
        SourceBenchError: the labels are not 0 … K−1, each of them at least once.
    """
    labels = set().union(*(made.images["label"].unique() for made in designs.values()))
    count = max(2, len(labels))
    if not labels <= set(range(count)):
        raise SourceBenchError(
            f"The labels of {count} classes are numbered from 0 to {count - 1}, each used at least "
            f"once, but the design's are {', '.join(map(str, sorted(labels)))}."
        )
    return count


def named(manifest: pd.DataFrame, confounded: str | None, name: str) -> int:
    """Return the class whose images carry the artifact in training, as a task says.

    Args:
        manifest: of the task.
        confounded: its name; None for the usual one.
        name: the task's.

    Raises:
        SourceBenchError: the classes have no names, or none has this one.
    """
    if confounded is None:
        return CONFOUNDED
    try:
        return names.number(manifest, confounded)
    except SourceBenchError as error:
        raise SourceBenchError(f"tasks.{name}: {error}") from error


def confounded(ranked: pd.DataFrame) -> int:
    """Return the class whose images carry the artifact in training: the one that has ranks.

    Splits that somebody published without any are of two classes, of which it is the positive one.

    Args:
        ranked: `label`, and `rank` as it was drawn, see `assign.rank`.
    """
    labels = ranked.loc[ranked["rank"].notna(), "label"]
    return CONFOUNDED if labels.empty else int(labels.iloc[0])
