"""One threshold of a confidence, and what becomes of the answers there."""

from typing import NamedTuple

import numpy as np

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.failures.answers import ROUNDING, Answers
from sourcebench.evaluation.resampling import Floats


class Outcomes(NamedTuple):
    """What becomes of answers of which those below a threshold are rejected: shares of all of them.

    Bungert et al. (2023, Fig. 1) call a failure that is detected a true positive, and one that is
    not, a silent one, a false negative. The four add up to 1; NaN without answers, or a threshold.

    Attributes:
        detected: wrong, and rejected.
        silent: wrong, and kept.
        false_alarms: right, and rejected.
        passed: right, and kept.
    """

    detected: float
    silent: float
    false_alarms: float
    passed: float

    @property
    def coverage(self) -> float:
        """The share that is kept."""
        return self.silent + self.passed


def threshold(confidences: Floats, coverage: float) -> float:
    """Return the largest confidence that keeps at least a share of some answers.

    An answer is kept where its confidence is the threshold or higher. Answers with the threshold's
    own confidence are kept together: of many ties more than the share.

    Args:
        confidences: N, of answers such as those on validation images.
        coverage: the share, in (0, 1].

    Returns:
        One of the confidences; NaN where there is none.

    Raises:
        SourceBenchError: the share is not over 0 and at most 1.
    """
    if not 0 < coverage <= 1:
        raise SourceBenchError(f"The coverage is {coverage:g}; it must be over 0 and at most 1.")
    if not len(confidences):
        return float("nan")
    wanted = max(1, int(np.ceil(coverage * len(confidences) - ROUNDING)))
    return float(np.sort(confidences)[len(confidences) - wanted])


def outcomes(answers: Answers, limit: float) -> Outcomes:
    """Return what becomes of answers where those of less confidence than the limit are rejected."""
    if np.isnan(limit) or not len(answers.failures):
        return Outcomes(*[float("nan")] * 4)
    kept, wrong = answers.confidences >= limit, answers.failures
    parts = wrong & ~kept, wrong & kept, ~wrong & ~kept, ~wrong & kept
    return Outcomes(*(float(each.mean()) for each in parts))
