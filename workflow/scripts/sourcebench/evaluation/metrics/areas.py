"""Areas under curves."""

from itertools import pairwise

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.stats import rankdata

from sourcebench.evaluation.metrics import (
    METRICS,
    RESAMPLED,
    Floats,
    Labels,
    Logits,
    against_the_rest,
    missing_class,
    over_classes,
    probabilities,
)
from sourcebench.evaluation.resampling import Curve, Resample, Weights


@METRICS.register("auroc")
def auroc(labels: Labels, logits: Logits) -> float:
    """Return the area under the ROC curve, in [0, 1]: the headline (AUC in the paper, §2.2).

    Of several classes the mean of each against the rest. Where the ranking says nothing it is 0.5,
    whatever the balance of the classes; NaN where a class is missing. By ranks: it is Mann and
    Whitney's U of the pairs, over their number (Hanley & McNeil 1982).
    """
    if missing_class(labels, logits):
        return np.nan
    return float(np.mean([_ranked(*each) for each in against_the_rest(labels, logits)]))


def _ranked(labels: Labels, margins: Floats) -> float:
    positives = int(labels.sum())
    above = rankdata(margins)[labels == 1].mean() - (positives + 1) / 2
    return float(above / (len(labels) - positives))


@RESAMPLED.register("auroc")
def auroc_of_draws(resample: Resample) -> Floats:
    """Return the area under the ROC curve of each draw (B), see `auroc`."""
    classes = against_the_rest(resample.labels, resample.logits)
    if resample.has_small_classes:
        return over_classes([_under(each) for each in resample.each_curve(classes)])
    return over_classes(
        [ranked_rightly(hit == 1, score, resample.weights) for hit, score in classes]
    )


def _under(curve: Curve) -> Floats:
    """Return the area under the ROC curve of each draw, as `ranked_rightly` does."""
    below = curve.others - curve.all_false + curve.false / 2
    rightly = np.einsum("mb,mb->b", curve.true, below, dtype=np.float64)
    with np.errstate(invalid="ignore"):
        share: Floats = rightly / (curve.own * curve.others.astype(np.float64))
    return share


@METRICS.register("auprc")
def auprc(labels: Labels, logits: Logits) -> float:
    """Return the average precision, in [0, 1]; NaN where a class is missing.

    Of several classes the mean of each against the rest. Where the ranking says nothing it is the
    share of positives, of K classes 1/K.
    """
    if missing_class(labels, logits):
        return np.nan
    return float(np.mean([_in_steps(*each) for each in against_the_rest(labels, logits)]))


def _in_steps(labels: Labels, margins: Floats) -> float:
    true, called = _above_thresholds(labels, margins)
    return float(np.sum(np.diff(true) * true[1:] / called[1:]) / true[-1])


def _above_thresholds(labels: Labels, margins: Floats) -> tuple[Floats, Floats]:
    """Return how many positives, and how many images, are at or above each score, from none on."""
    order = np.argsort(-margins)
    last = np.append(np.diff(margins[order]) != 0, True)  # of the images that share a threshold
    true = np.append(0.0, np.cumsum(labels[order])[last])
    return true, np.append(0.0, np.flatnonzero(last) + 1)


@RESAMPLED.register("auprc")
def auprc_of_draws(resample: Resample) -> Floats:
    """Return the average precision of each draw (B), see `auprc`."""
    return over_classes([_average_precision(each) for each in _curves(resample)])


@METRICS.register("auprc_dg")
def auprc_dg(labels: Labels, logits: Logits) -> float:
    """Return the area under the interpolated precision-recall curve; NaN where a class is missing.

    Between two thresholds the curve is that of Davis & Goadrich (ICML 2006, section 4), integrated
    exactly: false positives join at a steady rate while true positives do, so that precision
    bends, where a trapezoid would draw it straight and flatter the ranking. Below the first
    threshold precision is what it is there. Points that another threshold dominates count as well:
    the area is that of the curve itself, not of its hull, as Keilwagen et al. (2014) take it.

    In [0, 1]; where the ranking says nothing it is the share of positives. Ties apart it is below
    the average precision, by little where positives are many. Of several classes it is the mean of
    each against the rest.
    """
    if missing_class(labels, logits):
        return np.nan
    return float(np.mean([_interpolated(*each) for each in against_the_rest(labels, logits)]))


@RESAMPLED.register("auprc_dg")
def auprc_dg_of_draws(resample: Resample) -> Floats:
    """Return the area under the interpolated precision-recall curve of each draw (B)."""
    return over_classes([_interpolated_of_draws(each) for each in _curves(resample)])


def _interpolated(labels: Labels, margins: Floats) -> float:
    true, called = _above_thresholds(labels, margins)
    rises = np.diff(true) > 0
    before, after = called[:-1][rises], called[1:][rises]
    gained = np.diff(true)[rises]
    # With t true positives a + slope·t images are called positive; the area is that of t over it.
    slope = (after - before) / gained
    a = before - slope * true[:-1][rises]
    logs = np.log(after / np.maximum(before, 1))  # without images before, `a` is 0
    return float(np.sum(gained / slope - a / slope**2 * logs) / true[-1])


def _curves(resample: Resample) -> list[Curve]:
    """Return the curve of each class against the rest, of two classes the positive one's."""
    return resample.curves(against_the_rest(resample.labels, resample.logits))


def ranked_rightly(hit: npt.NDArray[np.bool_], score: Floats, weights: Weights) -> Floats:
    """Return the share of pairs in each draw that are ranked rightly, a tie as half of one.

    From the highest score down, all draws at once: so a row of them stays in the processor's cache.
    """
    order = np.argsort(-score, kind="stable")
    ends = np.flatnonzero(np.append(np.diff(score[order]) != 0, True)) + 1
    image, positive = order.tolist(), hit[order].tolist()  # faster to look up
    above = np.zeros(weights.shape[1], np.float32)  # positives so far
    rightly = np.zeros(weights.shape[1])
    for first, end in pairwise([0, *ends.tolist()]):
        if end == first + 1:
            if positive[first]:
                above += weights[image[first]]
            else:
                rightly += weights[image[first]] * above
        else:
            images = order[first:end]
            halves = weights[images[hit[images]]].sum(0) / 2
            above += halves
            rightly += weights[images[~hit[images]]].sum(0) * above
            above += halves
    pairs = above * (weights.sum(0, dtype=np.float64) - above)
    with np.errstate(invalid="ignore"):
        share: Floats = rightly / pairs
    return share


def _average_precision(curve: Curve) -> Floats:
    called = np.maximum(curve.all_true + curve.all_false, 1)
    with np.errstate(invalid="ignore"):
        area: Floats = np.einsum("mb,mb->b", curve.true, curve.all_true / called) / curve.own
    return np.where(curve.others > 0, area, np.nan)


def _interpolated_of_draws(curve: Curve) -> Floats:
    true, false, after_true = curve.true, curve.false, curve.all_true
    after = after_true + curve.all_false
    before = after - true - false
    share = true / np.maximum(true + false, 1)  # 1 / slope
    a = before * share - (after_true - true)
    logs = np.log(np.maximum(after, 1) / np.maximum(before, 1))
    with np.errstate(invalid="ignore"):
        area: Floats = (share * (true - a * logs)).sum(0, dtype=np.float64) / curve.own
    return np.where(curve.others > 0, area, np.nan)


@METRICS.register("auc_keras")
def auc_keras(labels: Labels, logits: Logits) -> float:
    """Return what `keras.metrics.AUC` with its defaults says, in [0, 1].

    The reference's number, kept so that the published curves can be compared. All columns of the
    softmax are set against the one-hot labels as KN predictions of one kind (micro-average), so
    what it ranks is trust in either class: a network that ignores the image and says "negative"
    scores the share of negatives if they are the majority (0.63 on the paper's 52 to 31), not 0.5.

    The ROC curve is taken at 200 thresholds, i/199 with the two ends 1e-7 further out, a
    prediction counting as positive above the threshold, and summed by trapezoids.
    """
    scores = probabilities(logits)
    hits = labels[:, None] == np.arange(logits.shape[1])
    thresholds = _keras_thresholds()

    def rate_above(values: Logits) -> Logits:
        ordered = np.sort(values)
        share: Logits = 1 - np.searchsorted(ordered, thresholds, side="right") / len(values)
        return share

    true_rate, false_rate = rate_above(scores[hits]), rate_above(scores[~hits])
    return float(np.trapezoid(true_rate[::-1], false_rate[::-1]))


@RESAMPLED.register("auc_keras")
def auc_keras_of_draws(resample: Resample) -> Floats:
    """Return what `keras.metrics.AUC` says of each draw (B), see `auc_keras`."""
    scores = probabilities(resample.logits)
    images, classes = scores.shape
    hits = resample.labels[:, None] == np.arange(classes)
    thresholds = _keras_thresholds()

    def rate_above(wanted: npt.NDArray[np.bool_]) -> Floats:
        image, _ = np.nonzero(wanted)
        passed = np.searchsorted(thresholds, scores[wanted], side="left")  # thresholds below it
        where = (np.ones(len(image), np.float32), (passed, image))
        counts = csr_array(where, shape=(len(thresholds) + 1, images)) @ resample.weights
        above = counts[::-1].cumsum(0, dtype=np.float64)[::-1]
        rate: Floats = above[1:] / above[0]
        return rate

    with np.errstate(invalid="ignore"):
        true_rate, false_rate = rate_above(hits), rate_above(~hits)
    return np.asarray(np.trapezoid(true_rate[::-1], false_rate[::-1], axis=0))


def _keras_thresholds() -> Floats:
    thresholds = np.linspace(0, 1, 200)
    thresholds[[0, -1]] += (-1e-7, 1e-7)
    return thresholds
