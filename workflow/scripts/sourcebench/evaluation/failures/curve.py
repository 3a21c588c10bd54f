"""The risk–coverage curve, to be drawn."""

from typing import NamedTuple

import numpy as np

from sourcebench.evaluation.failures.answers import Answers, Kept
from sourcebench.evaluation.resampling import Floats


class RiskCoverage(NamedTuple):
    """A risk–coverage curve, from where all is kept to where nothing is.

    Attributes:
        coverage: share of the answers that are kept, falling from 1 to 0 (M + 1).
        risk: share of failures among them; at a coverage of 0 that of the point before.
        generalized: share of all answers that are kept and wrong; 0 at a coverage of 0.
        threshold: the confidence from which on an answer is kept; infinity at a coverage of 0.
    """

    coverage: Floats
    risk: Floats
    generalized: Floats
    threshold: Floats


def risk_coverage(answers: Answers) -> RiskCoverage:
    """Return the curve of some answers: a point wherever the confidence changes.

    One point, at a coverage of 0 and a risk of NaN, where there are no answers.
    """
    kept = Kept.of(answers)
    images = max(1, len(answers.failures))
    least = answers.confidences[answers.order[answers.ends[1:] - 1]]
    points = (
        kept.accepted[:, 0].astype(np.float64) / images,
        kept.risk[:, 0],
        kept.failed[:, 0].astype(np.float64) / images,
        np.append(np.inf, least),
    )
    return RiskCoverage(*(each[::-1] for each in points))
