"""What a confidence score is: what it is made of, and whose answers it is confident of."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.resampling import Floats
from sourcebench.registry import Registry

Classes = npt.NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class Tested:
    """What a network said of some images.

    Attributes:
        rows: N of them, a row per image: `label`, `logit_0` … `logit_K−1`, and the columns of what
            was measured of the network, see `training.measures`.
        validation: likewise, of the images that its fold validated on; None where no score needs
            them.
        members: what all networks of its cell said of the same images, in the same order, itself
            among them; none where it is alone, or no score needs them.
    """

    rows: pd.DataFrame
    validation: Tested | None = None
    members: tuple[Tested, ...] = ()

    @cached_property
    def labels(self) -> Classes:
        """The true classes (N)."""
        return self.rows["label"].to_numpy(np.int64)

    @cached_property
    def logits(self) -> Floats:
        """N×K, float64: the softmax of float32 logits is taken in float64, or ties at 1."""
        # The metrics take a second to import, and a study's config names its scores.
        from sourcebench.evaluation.metrics import columns_of_logits

        return self.rows[columns_of_logits(self.rows.columns)].to_numpy(np.float64)

    def column(self, name: str) -> npt.NDArray[Any]:
        """Return one of its columns (N).

        Raises:
            SourceBenchError: there is no such column.
        """
        if name not in self.rows:
            raise SourceBenchError(
                f"the predictions have no column '{name}'; delete the run's folder and run the "
                "workflow again."
            )
        return self.rows[name].to_numpy()


class Scored(NamedTuple):
    """What a score says of N images.

    Attributes:
        confidences: N, float64; the higher, the more confident.
        called: N, the classes that it is confident of: a failure is one that is not the label.
    """

    confidences: Floats
    called: Classes


class Score(ABC):
    """A confidence score.

    Attributes:
        title: its name for people.
        method: the kind of method whose networks it needs, see `training.methods`; None: any that
            trains a network for its classes alone.
        measures: what has to be measured of a network besides its logits, names in
            `training.measures.MEASURES`.
        fitted: whether it is fitted on the images that a fold validated on.
        probability: whether it is meant as the probability, in [0, 1], that the answer is right.
        of_cell: whether it is of all networks of a cell together, see `Tested.members`.
    """

    title: ClassVar[str]
    method: ClassVar[str | None] = None
    measures: ClassVar[tuple[str, ...]] = ()
    fitted: ClassVar[bool] = False
    probability: ClassVar[bool] = False
    of_cell: ClassVar[bool] = False

    @abstractmethod
    def of(self, tested: Tested) -> Scored:
        """Return how confident a network is of its answers, and these."""


class Column(Score):
    """A score that was measured with the predictions, and is a column of theirs.

    Attributes:
        column: its name.
        called: the column of the classes that it is confident of; None: those of the largest
            logits, which are the classes' alone whatever else a method has a network put out.
    """

    column: ClassVar[str]
    called: ClassVar[str | None] = None

    def of(self, tested: Tested) -> Scored:
        """Return the columns.

        Raises:
            SourceBenchError: there is none of the name.
        """
        confidences = tested.column(self.column).astype(np.float64)
        if self.called is None:
            return Scored(confidences, tested.logits.argmax(1))
        return Scored(confidences, tested.column(self.called).astype(np.int64))


SCORES: Registry[Score] = Registry("confidence score")
"""The scores by name; each is made once and has no state."""
