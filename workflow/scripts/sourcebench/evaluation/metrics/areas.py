"""Areas under curves."""

import numpy as np
from sklearn.metrics import average_precision_score, roc_auc_score

from sourcebench.evaluation.metrics import METRICS, Labels, Logits, margin, probability


@METRICS.register("auroc")
def auroc(labels: Labels, logits: Logits) -> float:
    """Return the area under the ROC curve, in [0, 1]: the headline (AUC in the paper, §2.2).

    Where the ranking says nothing it is 0.5, whatever the balance of the classes; NaN where one
    class is missing.
    """
    if labels.min() == labels.max():
        return np.nan
    return float(roc_auc_score(labels, margin(logits)))


@METRICS.register("auprc")
def auprc(labels: Labels, logits: Logits) -> float:
    """Return the average precision, in [0, 1]; NaN where one class is missing.

    Where the ranking says nothing it is the share of positives.
    """
    if labels.min() == labels.max():
        return np.nan
    return float(average_precision_score(labels, margin(logits)))


@METRICS.register("auprc_dg")
def auprc_dg(labels: Labels, logits: Logits) -> float:
    """Return the area under the interpolated precision-recall curve; NaN where a class is missing.

    Between two thresholds the curve is that of Davis & Goadrich (ICML 2006, section 4), integrated
    exactly: false positives join at a steady rate while true positives do, so that precision
    bends, where a trapezoid would draw it straight and flatter the ranking. Below the first
    threshold precision is what it is there. Points that another threshold dominates count as well:
    the area is that of the curve itself, not of its hull, as Keilwagen et al. (2014) take it.

    In [0, 1]; where the ranking says nothing it is the share of positives. Ties apart it is below
    the average precision, by little where positives are many.
    """
    if labels.min() == labels.max():
        return np.nan
    margins = margin(logits)
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

    The reference's number, kept so that the published curves can be compared. Both columns of the
    softmax are set against the one-hot labels as 2N predictions of one kind (micro-average), so
    what it ranks is trust in either class: a network that ignores the image and says "negative"
    scores the share of negatives if they are the majority (0.63 on the paper's 52 to 31), not 0.5.

    The ROC curve is taken at 200 thresholds, i/199 with the two ends 1e-7 further out, a
    prediction counting as positive above the threshold, and summed by trapezoids.
    """
    positive = probability(logits)
    scores = np.concatenate([positive, 1 - positive])
    hits = np.concatenate([labels == 1, labels == 0])
    thresholds = np.linspace(0, 1, 200)
    thresholds[[0, -1]] += (-1e-7, 1e-7)

    def rate_above(values: Logits) -> Logits:
        ordered = np.sort(values)
        share: Logits = 1 - np.searchsorted(ordered, thresholds, side="right") / len(values)
        return share

    true_rate, false_rate = rate_above(scores[hits]), rate_above(scores[~hits])
    return float(np.trapezoid(true_rate[::-1], false_rate[::-1]))
