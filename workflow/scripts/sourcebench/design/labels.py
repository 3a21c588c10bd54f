"""Classes: how many a task has, and which of them the artifact goes with."""

from collections.abc import Mapping

import pandas as pd

from sourcebench.errors import SourceBenchError

CONFOUNDED = 1
"""The class that carries the artifact unless a design says another: of two, the positive one."""


def classes(designs: Mapping[str, pd.DataFrame]) -> int:
    """Return how many classes there are, 2 or more.

    Args:
        designs: a task's, of any confounders, with the column `label`.

    Raises:
        SourceBenchError: the labels are not 0 … K−1, each of them at least once.
    """
    labels = set().union(*(table["label"].unique() for table in designs.values()))
    count = max(2, len(labels))
    if not labels <= set(range(count)):
        raise SourceBenchError(
            f"The labels of {count} classes are numbered from 0 to {count - 1}, each used at least "
            f"once, but the design's are {', '.join(map(str, sorted(labels)))}."
        )
    return count


def confounded(design: pd.DataFrame) -> int:
    """Return the class whose images carry the artifact in training: the one that has ranks.

    Splits that somebody published without any are of two classes, of which it is the positive one.
    """
    if "rank" not in design or design["rank"].isna().all():
        return CONFOUNDED
    return int(design.loc[design["rank"].notna(), "label"].iloc[0])
