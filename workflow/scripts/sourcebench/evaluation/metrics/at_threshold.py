"""What the decisions are worth: an image is called positive if its probability is above 0.5."""

import numpy as np

from sourcebench.evaluation.metrics import METRICS, Labels, Logits, margin


@METRICS.register("accuracy")
def accuracy(labels: Labels, logits: Logits) -> float:
    """Return the share of images called rightly, in [0, 1]."""
    return float(np.mean((margin(logits) > 0) == (labels == 1)))


@METRICS.register("recall")
def recall(labels: Labels, logits: Logits) -> float:
    """Return the share of the positives that are called so, in [0, 1]; NaN without a positive.

    The paper reports 0 for randomly initialised networks on the lung mass task (§3).
    """
    called = margin(logits)[labels == 1] > 0
    return float(called.mean()) if called.size else np.nan


@METRICS.register("prevalence")
def prevalence(labels: Labels, logits: Logits) -> float:
    """Return the share of positives, in [0, 1]: the AUPRC of a network that guesses."""
    return float(np.mean(labels == 1))
