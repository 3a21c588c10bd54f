"""How far the probabilities can be believed."""

import numpy as np
import numpy.typing as npt
from scipy.special import log_softmax

from sourcebench.evaluation.metrics import (
    LIMITS,
    METRICS,
    OF_SEVERAL,
    RESAMPLED,
    Floats,
    Labels,
    Logits,
    probabilities,
    probability,
)
from sourcebench.evaluation.resampling import Resample

BINS = 15


@METRICS.register("brier")
def brier(labels: Labels, logits: Logits) -> float:
    """Return the mean squared error of the positive class's probability, in [0, 1].

    Of several classes it is half the squared errors of all their probabilities, summed and averaged
    over the images: of two that would be the same.
    """
    return float(np.mean(_squared(labels, logits)))


@RESAMPLED.register("brier")
def brier_of_draws(resample: Resample) -> Floats:
    """Return the Brier score of each draw (B)."""
    return resample.mean(_squared(resample.labels, resample.logits))


def _squared(labels: Labels, logits: Logits) -> Floats:
    if logits.shape[1] == 2:
        squared: Floats = (probability(logits) - labels) ** 2
        return squared
    errors = probabilities(logits) - np.eye(logits.shape[1])[labels]
    halves: Floats = (errors**2).sum(1) / 2
    return halves


@METRICS.register("ece")
def ece(labels: Labels, logits: Logits) -> float:
    """Return the expected calibration error of the positive class's probability, in [0, 1].

    Fifteen bins of equal width over [0, 1], each closed below; per bin the distance between the
    mean probability and the share of positives, averaged by the bins' sizes (Naeini et al. 2015).
    The probability is that of the positive class, not of the predicted one (Guo et al. 2017), so
    that trust put into the wrong class is seen for what it is. With several classes there is no
    positive one: there it is the probability of the predicted class, and the share called rightly.
    """
    bins, excess = _excess(labels, logits)
    gaps = np.bincount(bins, weights=excess, minlength=BINS)
    return float(np.abs(gaps).sum() / len(labels))


@RESAMPLED.register("ece")
def ece_of_draws(resample: Resample) -> Floats:
    """Return the expected calibration error of each draw (B)."""
    bins, excess = _excess(resample.labels, resample.logits)
    by_bin = (bins == np.arange(BINS)[:, None]) * excess
    gaps = by_bin.astype(np.float32) @ resample.weights
    with np.errstate(invalid="ignore"):
        error: Floats = np.abs(gaps).sum(0) / resample.total
    return error


def _excess(labels: Labels, logits: Logits) -> tuple[npt.NDArray[np.intp], Floats]:
    """Return each image's bin, and by how much its trust is over what was right (0|1)."""
    if logits.shape[1] == 2:
        trust, right = probability(logits), labels
    else:
        each = probabilities(logits)
        trust, right = each.max(1), (each.argmax(1) == labels).astype(np.int64)
    return np.minimum((trust * BINS).astype(np.intp), BINS - 1), trust - right


@METRICS.register("nll")
def nll(labels: Labels, logits: Logits) -> float:
    """Return the mean negative log-likelihood of the true class in nats: the cross-entropy."""
    return float(_surprise(labels, logits).mean())


@RESAMPLED.register("nll")
def nll_of_draws(resample: Resample) -> Floats:
    """Return the mean negative log-likelihood of each draw (B)."""
    return resample.mean(_surprise(resample.labels, resample.logits))


def _surprise(labels: Labels, logits: Logits) -> Floats:
    trust = log_softmax(logits.astype(np.float64), axis=1)
    surprise: Floats = -trust[np.arange(len(labels)), labels]
    return surprise


LIMITS["nll"] = None
OF_SEVERAL.add("nll")
