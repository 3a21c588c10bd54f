"""How far the probabilities can be believed."""

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from sourcebench.evaluation.metrics import (
    LIMITS,
    METRICS,
    OF_SEVERAL,
    Floats,
    Labels,
    Logits,
    probabilities,
    probability,
)

BINS = 15


@METRICS.register("brier")
def brier(labels: Labels, logits: Logits) -> float:
    """Return the mean squared error of the positive class's probability, in [0, 1].

    Of several classes it is half the squared errors of all their probabilities, summed and averaged
    over the images: of two that would be the same.
    """
    if logits.shape[1] == 2:
        return float(np.mean((probability(logits) - labels) ** 2))
    errors = probabilities(logits) - np.eye(logits.shape[1])[labels]
    return float(np.mean((errors**2).sum(1)) / 2)


@METRICS.register("ece")
def ece(labels: Labels, logits: Logits) -> float:
    """Return the expected calibration error of the positive class's probability, in [0, 1].

    Fifteen bins of equal width over [0, 1], each closed below; per bin the distance between the
    mean probability and the share of positives, averaged by the bins' sizes (Naeini et al. 2015).
    The probability is that of the positive class, not of the predicted one (Guo et al. 2017), so
    that trust put into the wrong class is seen for what it is. With several classes there is no
    positive one: there it is the probability of the predicted class, and the share called rightly.
    """
    if logits.shape[1] == 2:
        return _gap(probability(logits), labels)
    trust = probabilities(logits)
    return _gap(trust.max(1), trust.argmax(1) == labels)


def _gap(trust: Floats, right: Labels | npt.NDArray[np.bool_]) -> float:
    """Return the distance between trust (N, in [0, 1]) and what is right (N, 0|1), by bins."""
    bins = np.minimum((trust * BINS).astype(np.intp), BINS - 1)
    gaps = np.bincount(bins, weights=trust - right, minlength=BINS)
    return float(np.abs(gaps).sum() / len(trust))


@METRICS.register("nll")
def nll(labels: Labels, logits: Logits) -> float:
    """Return the mean negative log-likelihood of the true class in nats: the cross-entropy."""
    trust = log_softmax(logits.astype(np.float64), axis=1)
    return float(-trust[np.arange(len(labels)), labels].mean())


LIMITS["nll"] = None
OF_SEVERAL.add("nll")
