"""Answers of a network, how confident it is of each, and what is kept if others are rejected."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.resampling import Floats, Weights, cumulative

ROUNDING = 1e-6
"""A probability may be over 1 by so much, and a share be so much short of what is asked of it."""


@dataclass(frozen=True, eq=False)
class Answers:
    """A network's answers on one test set, by one confidence score.

    Attributes:
        confidences: N finite floats; the higher, the more confident.
        failures: N bool, whether an answer is wrong.
        probability: whether a confidence is meant as the probability, in [0, 1], that the answer is
            right, as the maximum of a softmax is and a negative entropy is not. It can't be seen
            from the values: the score's own maker says so.

    Raises:
        SourceBenchError: there are not as many of both, a confidence is not finite, or a
            probability lies outside [0, 1].
    """

    confidences: Floats
    failures: npt.NDArray[np.bool_]
    probability: bool = False

    def __post_init__(self) -> None:
        confidences = np.asarray(self.confidences, np.float64)
        failures = np.asarray(self.failures)
        object.__setattr__(self, "confidences", confidences)
        object.__setattr__(self, "failures", failures)
        if failures.dtype != bool or failures.ndim != 1 or confidences.shape != failures.shape:
            raise SourceBenchError(
                "Each answer needs a confidence and whether it is a failure (true or false); there "
                f"are confidences of the shape {confidences.shape} and failures of "
                f"{failures.shape}, {failures.dtype}."
            )
        if wrong := int((~np.isfinite(confidences)).sum()):
            raise SourceBenchError(
                f"{wrong} of {len(confidences)} confidences are not finite, and such can't be "
                "ranked; the network diverged, or the score overflows."
            )
        if self.probability and (np.abs(confidences - 0.5) > 0.5 + ROUNDING).any():
            raise SourceBenchError(
                "A confidence that is to be a probability lies outside [0, 1] (they go from "
                f"{confidences.min():g} to {confidences.max():g}); a score of another range is "
                "none: give it without `probability`."
            )

    @cached_property
    def order(self) -> npt.NDArray[np.intp]:
        """The answers from the most confident to the least (N)."""
        return np.argsort(-self.confidences, kind="stable")

    @cached_property
    def ends(self) -> npt.NDArray[np.intp]:
        """How many answers are kept at each threshold: none, then with each confidence (1 + M)."""
        falling = self.confidences[self.order]
        last = np.append(np.diff(falling) != 0, True)[: len(falling)]
        return np.append(0, np.flatnonzero(last) + 1)


class Kept:
    """What is kept of each draw of some answers where all below a threshold are rejected.

    The thresholds are 1 + M: one at which nothing is kept, and then each of the M confidences that
    there are, falling, at which the answers of that confidence are kept and all above it.

    Args:
        answers: N of them.
        weights: N×B, how many times each answer is in each draw; whole numbers.
    """

    def __init__(self, answers: Answers, weights: Weights) -> None:
        self.answers, self.weights = answers, weights

    @classmethod
    def of(cls, answers: Answers) -> Kept:
        """Return what is kept of the answers as they are: one draw, which has each of them once."""
        return cls(answers, np.ones((len(answers.failures), 1), np.float32))

    @cached_property
    def accepted(self) -> Weights:
        """How many answers are kept at each threshold ((1 + M)×B)."""
        return self._up_to(self._falling)

    @cached_property
    def failed(self) -> Weights:
        """How many of those kept are failures ((1 + M)×B)."""
        return self._up_to(self._falling * self.answers.failures[self.answers.order, None])

    @cached_property
    def risk(self) -> Floats:
        """The selective risk: the share of failures among those kept ((1 + M)×B).

        Where nothing is kept it is that of the most confident answers, where there is anything: so
        the curve goes on level to a coverage of 0. NaN in a draw without answers.
        """
        with np.errstate(invalid="ignore"):
            risk: Floats = np.divide(self.failed, self.accepted, dtype=np.float64)
        first = np.minimum((self.accepted == 0).sum(0), len(risk) - 1)
        empty = slice(first.max(initial=0))  # the rows that there is something to mend in
        level = risk[first, np.arange(len(first))]
        risk[empty] = np.where(self.accepted[empty] > 0, risk[empty], level)
        return risk

    @property
    def images(self) -> Floats:
        """How many answers each draw has (B)."""
        count: Floats = self.accepted[-1].astype(np.float64)
        return count

    @property
    def failures(self) -> Floats:
        """How many of them are failures (B)."""
        count: Floats = self.failed[-1].astype(np.float64)
        return count

    @cached_property
    def _falling(self) -> Weights:
        return self.weights[self.answers.order]

    def _up_to(self, rows: Weights) -> Weights:
        return cumulative(rows)[self.answers.ends]
