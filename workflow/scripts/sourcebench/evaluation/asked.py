"""What a study asks of confidence scores, and what of a network they need beside its predictions.

In a study that asks for none, nothing of it is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.aggregate import damaged, read_validation
from sourcebench.files import read_json
from sourcebench.training.methods import CROSS_ENTROPY, METHODS, is_plain


class Shifted(NamedTuple):
    """What a test set is.

    Attributes:
        shift: the kind of its shift: 'iid', 'confounder', 'corruption', 'acquisition', ….
        family: the shift, whatever its level; of a test set that every task has its own name.
        severity: the level, from 1 on; 0 where there are none.
    """

    shift: str
    family: str
    severity: int


@dataclass(frozen=True)
class Asked:
    """What a study asks of confidence scores.

    Attributes:
        scores: names in `confidence.SCORES`.
        coverage: the share of a network's validation images that a threshold keeps, in (0, 1].
        test_sets: what each of a task's test sets is, by its name.
    """

    scores: Sequence[str] = ()
    coverage: float = 0.95
    test_sets: Mapping[str, Shifted] = field(default_factory=dict)

    @classmethod
    def of(
        cls, scores: Sequence[str], coverage: float, test_sets: Mapping[str, Sequence[str | int]]
    ) -> Asked:
        """Make it from plain values, as a rule hands them on."""
        known = {
            name: Shifted(str(shift), str(family), int(severity))
            for name, (shift, family, severity) in test_sets.items()
        }
        return cls(list(scores), float(coverage), known)

    def shifted(self, test_set: str) -> Shifted:
        """Return what a test set is.

        Raises:
            SourceBenchError: the task has none of the name.
        """
        if test_set not in self.test_sets:
            raise SourceBenchError(
                f"There are predictions on the test set '{test_set}', which the task has not got "
                f"(it has {', '.join(self.test_sets)}); delete the folders of its runs and run the "
                "workflow again."
            )
        return self.test_sets[test_set]


@dataclass(frozen=True, eq=False)
class Network:
    """What scores need of a network beside its predictions.

    Attributes:
        method: the kind of method that it was trained by, see `training.methods`.
        validation: what it says of the images that its fold validated on: the columns of
            predictions but those that say which test set.
    """

    method: str
    validation: pd.DataFrame

    @classmethod
    def of(cls, folder: Path) -> Network:
        """Read it from a run's folder.

        Raises:
            SourceBenchError: a file is missing or damaged (named).
        """
        return cls(_method(folder / "run.json"), read_validation(folder / "validation.parquet"))

    @property
    def plain(self) -> bool:
        """Whether it was trained for its classes alone."""
        return is_plain(self.method)


def _method(path: Path) -> str:
    try:
        kind = str(read_json(path).get("method_entry", {}).get("kind", CROSS_ENTROPY.kind))
    except (OSError, ValueError, AttributeError) as error:
        raise damaged(path, str(error)) from error
    if kind not in METHODS:
        raise damaged(path, f"it was trained by '{kind}', and there is no such method")
    return kind
