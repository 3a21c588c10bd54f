"""Scores of one pass that keep the size of the logits, which the softmax takes away."""

from scipy.special import logsumexp

from sourcebench.evaluation.confidence.base import SCORES, Score, Scored, Tested


class MaximumLogit(Score):
    """The largest logit (Hendrycks et al., ICML 2022)."""

    title = "Max. logit"

    def of(self, tested: Tested) -> Scored:
        """Return the maximum, without limits."""
        return Scored(tested.logits.max(1), tested.logits.argmax(1))


class Energy(Score):
    """Minus the free energy of the logits at a temperature of 1 (Liu et al., NeurIPS 2020)."""

    title = "Energy"

    def of(self, tested: Tested) -> Scored:
        """Return ln Σ exp over the K logits, without limits."""
        return Scored(logsumexp(tested.logits, axis=1), tested.logits.argmax(1))


SCORES.register("max_logit")(MaximumLogit())
SCORES.register("energy")(Energy())
