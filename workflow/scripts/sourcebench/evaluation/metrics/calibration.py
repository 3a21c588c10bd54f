"""How far the probabilities can be believed."""

import numpy as np

from sourcebench.evaluation.metrics import METRICS, Labels, Logits, probability

BINS = 15


@METRICS.register("brier")
def brier(labels: Labels, logits: Logits) -> float:
    """Return the mean squared error of the positive class's probability, in [0, 1]."""
    return float(np.mean((probability(logits) - labels) ** 2))


@METRICS.register("ece")
def ece(labels: Labels, logits: Logits) -> float:
    """Return the expected calibration error of the positive class's probability, in [0, 1].

    Fifteen bins of equal width over [0, 1], each closed below; per bin the distance between the
    mean probability and the share of positives, averaged by the bins' sizes (Naeini et al. 2015).
    The probability is that of the positive class, not of the predicted one (Guo et al. 2017), so
    that trust put into the wrong class is seen for what it is.
    """
    positive = probability(logits)
    bins = np.minimum((positive * BINS).astype(np.intp), BINS - 1)
    gaps = np.bincount(bins, weights=positive - labels, minlength=BINS)
    return float(np.abs(gaps).sum() / len(labels))
