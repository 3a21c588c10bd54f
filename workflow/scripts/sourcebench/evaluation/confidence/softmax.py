"""Scores of one pass: the softmax's maximum, and its entropy."""

from scipy.special import softmax

from sourcebench.entropy import negentropy
from sourcebench.evaluation.confidence.base import SCORES, Score, Scored, Tested


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


SCORES.register("msr")(MaximumSoftmax())
SCORES.register("pe")(PredictiveEntropy())
