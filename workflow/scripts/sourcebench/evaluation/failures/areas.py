"""Areas over all thresholds: how well confidence parts failures from the rest."""

import numpy as np
from scipy.special import xlogy

from sourcebench.evaluation.failures import FAILURE_METRICS, LIMITS, OF_BOTH
from sourcebench.evaluation.failures.answers import Kept
from sourcebench.evaluation.resampling import Floats


@FAILURE_METRICS.register("aurc")
def aurc(kept: Kept) -> Floats:
    """Return the area under the risk–coverage curve (B), a share in [0, 1]; lower is better.

    Coverage is the share of answers kept, selective risk the share of failures among them (Geifman
    & El-Yaniv, NeurIPS 2017); the area is that of trapezoids between the thresholds that there are.
    Below the first the risk is what it is there. It is 0 without a failure, 1 where all fail, and
    the error rate where confidence says nothing. It grows with the error rate, too: it judges a
    classifier with its score, not the score.
    """
    with np.errstate(invalid="ignore"):
        area: Floats = np.trapezoid(kept.risk, kept.accepted, axis=0) / kept.images
    return area


@FAILURE_METRICS.register("e_aurc")
def e_aurc(kept: Kept) -> Floats:
    """Return the excess of the AURC over that of a perfect ranking (B), in [−½, 1]; low is good.

    The perfect one's is e + (1 − e) ln(1 − e), e being the error rate (Geifman et al., ICLR 2019):
    the area of a smooth curve, which trapezoids are below. So of few answers, or few confidences,
    the excess can be less than 0: with two of them, which part all failures from the rest, it is
    ½ e² less the perfect one's.
    """
    with np.errstate(invalid="ignore"):
        error = kept.failures / kept.images
    excess: Floats = aurc(kept) - (error + xlogy(1 - error, 1 - error))
    return excess


@FAILURE_METRICS.register("augrc")
def augrc(kept: Kept) -> Floats:
    """Return the area under the generalized-risk–coverage curve (B), in [0, ½]; lower is better.

    Generalized risk is the share of all answers that are kept and wrong (Traub et al., NeurIPS
    2024), which does not weigh the most confident few as the AURC does. The area over coverage is

        (1 − AUROC) · a (1 − a) + ½ (1 − a)²,

    a being the accuracy and AUROC that of failure detection, a tie as half of a pair: the first
    term is the pairs ranked wrongly, over n². ½ (1 − a)² is the best there is.
    """
    with np.errstate(invalid="ignore"):
        area: Floats = (_wrongly(kept) + kept.failures**2 / 2) / kept.images**2
    return area


@FAILURE_METRICS.register("failure_auroc")
def failure_auroc(kept: Kept) -> Floats:
    """Return the AUROC of confidence, right answers being positive (B), in [0, 1].

    The chance that a right answer is more confident than a wrong one, a tie as half. 0.5 where
    confidence says nothing; NaN without a failure, or with nothing else.
    """
    with np.errstate(invalid="ignore"):
        share: Floats = 1 - _wrongly(kept) / (kept.failures * (kept.images - kept.failures))
    return share


def _wrongly(kept: Kept) -> Floats:
    """Return how many pairs have the failure above the right answer, a tie as half of one (B)."""
    right = kept.accepted - kept.failed
    pairs: Floats = np.trapezoid(kept.failed.astype(np.float64), right, axis=0)
    return pairs


LIMITS["e_aurc"] = (-0.5, 1.0)
LIMITS["augrc"] = (0.0, 0.5)
OF_BOTH.add("failure_auroc")
