"""Areas under curves."""

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from sourcebench.evaluation.metrics import (
    METRICS,
    Floats,
    Labels,
    Logits,
    against_the_rest,
    missing_class,
    probabilities,
)


@METRICS.register("auroc")
def auroc(labels: Labels, logits: Logits) -> float:
    """Return the area under the ROC curve, in [0, 1]: the headline (AUC in the paper, §2.2).

    Of several classes the mean of each against the rest. Where the ranking says nothing it is 0.5,
    whatever the balance of the classes; NaN where a class is missing.
    """
    if missing_class(labels, logits):
        return np.nan
    return float(np.mean([roc_auc_score(*each) for each in against_the_rest(labels, logits)]))


@METRICS.register("auprc")
def auprc(labels: Labels, logits: Logits) -> float:
    """Return the average precision, in [0, 1]; NaN where a class is missing.

    Of several classes the mean of each against the rest. Where the ranking says nothing it is the
    share of positives, of K classes 1/K.
    """
    if missing_class(labels, logits):
        return np.nan
    each = against_the_rest(labels, logits)
    return float(np.mean([average_precision_score(*one) for one in each]))


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


def _interpolated(labels: Labels, margins: Floats) -> float:
    order = np.argsort(-margins)
    last = np.append(np.diff(margins[order]) != 0, True)  # of the images that share a threshold
    true = np.append(0, np.cumsum(labels[order])[last])
    called = np.append(0, np.flatnonzero(last) + 1)
    rises = np.diff(true) > 0
    before, after = called[:-1][rises], called[1:][rises]
    gained = np.diff(true)[rises]
    # With t true positives a + slope·t images are called positive; the area is that of t over it.
    slope = (after - before) / gained
    a = before - slope * true[:-1][rises]
    logs = np.log(after / np.maximum(before, 1))  # without images before, `a` is 0
    return float(np.sum(gained / slope - a / slope**2 * logs) / true[-1])


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
    thresholds = np.linspace(0, 1, 200)
    thresholds[[0, -1]] += (-1e-7, 1e-7)

    def rate_above(values: Logits) -> Logits:
        ordered = np.sort(values)
        share: Logits = 1 - np.searchsorted(ordered, thresholds, side="right") / len(values)
        return share

    true_rate, false_rate = rate_above(scores[hits]), rate_above(scores[~hits])
    return float(np.trapezoid(true_rate[::-1], false_rate[::-1]))
