"""Scores of one pass: the softmax's maximum, and its entropy."""

import numpy as np
from scipy.special import softmax

from sourcebench.evaluation.confidence.base import SCORES, Score, Scored, Tested
from sourcebench.evaluation.resampling import Floats


class MaximumSoftmax(Score):
    """The largest probability of the softmax (Hendrycks & Gimpel, ICLR 2017)."""

    title = "MSR"
    probability = True

    def of(self, tested: Tested) -> Scored:
        """Return the maximum, in [1/K, 1]."""
        return Scored(softmax(tested.logits, 1).max(1), tested.logits.argmax(1))


class PredictiveEntropy(Score):
    """The entropy of the softmax, turned round."""

    title = "PE"

    def of(self, tested: Tested) -> Scored:
        """Return ln K less the entropy in nats, in [0, ln K]."""
        return Scored(negentropy(softmax(tested.logits, 1)), tested.logits.argmax(1))


def negentropy(probabilities: Floats) -> Floats:
    """Return ln K − H of N×K probabilities (N): 0 where all are alike, ln K where one is sure.

    That is Σ (1 + x) ln(1 + x) − x over K, where x = K p − 1, whose terms near 0 keep their digits.
    Of two classes the smaller p is taken as 1 less the larger, so that it ranks exactly as the
    maximum does, ties and all.
    """
    classes = probabilities.shape[1]
    if classes == 2:
        top = probabilities.max(1)
        probabilities = np.stack([top, 1 - top], 1)
    excess = classes * probabilities - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(excess > -1, (1 + excess) * np.log1p(excess), 0.0) - excess
    found: Floats = terms.mean(1)
    return found


SCORES.register("msr")(MaximumSoftmax())
SCORES.register("pe")(PredictiveEntropy())
