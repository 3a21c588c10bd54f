"""What the decisions are worth: an image is called what is most probable, at a tie the first."""

import numpy as np
from scipy.sparse import csr_array

from sourcebench.evaluation.metrics import (
    METRICS,
    OF_SEVERAL,
    RESAMPLED,
    Floats,
    Labels,
    Logits,
    against_the_rest,
    margin,
    missing_class,
    over_classes,
)
from sourcebench.evaluation.resampling import Resample

SPECIFICITY = 0.9
ROUNDING = 1e-6
"""A tenth of the negatives is no more than a tenth, however it is rounded."""


@METRICS.register("accuracy")
def accuracy(labels: Labels, logits: Logits) -> float:
    """Return the share of images called rightly, in [0, 1]."""
    return float(np.mean(logits.argmax(1) == labels))


@RESAMPLED.register("accuracy")
def accuracy_of_draws(resample: Resample) -> Floats:
    """Return the share of images called rightly in each draw (B)."""
    return resample.mean(_right(resample))


@METRICS.register("recall")
def recall(labels: Labels, logits: Logits) -> float:
    """Return the share of the positives that are called so, in [0, 1]; NaN without a positive.

    NaN with several classes, too, of which none is the positive one: `balanced_accuracy` is there.
    The paper reports 0 for randomly initialised networks on the lung mass task (§3).
    """
    return _called_so(labels, logits, 1)


@RESAMPLED.register("recall")
def recall_of_draws(resample: Resample) -> Floats:
    """Return the share of the positives of each draw that are called so (B)."""
    return _called_so_of_draws(resample, 1)


@METRICS.register("specificity")
def specificity(labels: Labels, logits: Logits) -> float:
    """Return the share of the negatives that are called so, in [0, 1]; NaN without a negative.

    NaN with several classes, of which none is the positive one.
    """
    return _called_so(labels, logits, 0)


@RESAMPLED.register("specificity")
def specificity_of_draws(resample: Resample) -> Floats:
    """Return the share of the negatives of each draw that are called so (B)."""
    return _called_so_of_draws(resample, 0)


def _called_so(labels: Labels, logits: Logits, label: int) -> float:
    called = logits[labels == label].argmax(1) == label
    return float(called.mean()) if called.size and logits.shape[1] == 2 else np.nan


def _called_so_of_draws(resample: Resample, label: int) -> Floats:
    if resample.logits.shape[1] > 2:
        return np.full(len(resample.total), np.nan)
    return resample.mean(_right(resample), resample.labels == label)


@METRICS.register("sensitivity")
def sensitivity(labels: Labels, logits: Logits) -> float:
    """Return the share of positives found where at most a tenth of the negatives is called so.

    That is sensitivity at a specificity of at least 0.9: the highest on the ROC curve, between two
    points of which nothing is interpolated. In [0, 1]; NaN where a class is missing, or with
    several classes.
    """
    if missing_class(labels, logits) or logits.shape[1] > 2:
        return np.nan
    score = margin(logits)
    negatives = np.sort(score[labels == 0])[::-1]
    most = int((1 - SPECIFICITY + ROUNDING) * len(negatives))  # may be called positive
    return float(np.mean(score[labels == 1] > negatives[most]))


@RESAMPLED.register("sensitivity")
def sensitivity_of_draws(resample: Resample) -> Floats:
    """Return the sensitivity of each draw (B), see `sensitivity`."""
    if resample.logits.shape[1] > 2:
        return np.full(len(resample.total), np.nan)
    (curve,) = resample.curves(against_the_rest(resample.labels, resample.logits))
    with np.errstate(invalid="ignore"):
        allowed = curve.all_false <= (1 - SPECIFICITY + ROUNDING) * curve.others
        found: Floats = np.where(allowed, curve.all_true, 0).max(0, initial=0) / curve.own
    return np.where(curve.others > 0, found, np.nan)


@METRICS.register("prevalence")
def prevalence(labels: Labels, logits: Logits) -> float:
    """Return the share of positives, in [0, 1]: the AUPRC of a network that guesses.

    NaN with several classes, of which none is the positive one.
    """
    return float(np.mean(labels == 1)) if logits.shape[1] == 2 else np.nan


@RESAMPLED.register("prevalence")
def prevalence_of_draws(resample: Resample) -> Floats:
    """Return the share of positives in each draw (B)."""
    if resample.logits.shape[1] > 2:
        return np.full(len(resample.total), np.nan)
    return resample.mean(resample.labels == 1)


@METRICS.register("balanced_accuracy")
def balanced_accuracy(labels: Labels, logits: Logits) -> float:
    """Return the mean over the classes of the share called rightly, in [0, 1].

    NaN where a class is missing; a network that guesses has 1/K.
    """
    if missing_class(labels, logits):
        return np.nan
    right = logits.argmax(1) == labels
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


@RESAMPLED.register("balanced_accuracy")
def balanced_accuracy_of_draws(resample: Resample) -> Floats:
    """Return the mean over the classes of the share called rightly, of each draw (B)."""
    right, classes = _right(resample), range(resample.logits.shape[1])
    return over_classes([resample.mean(right, resample.labels == k) for k in classes])


@METRICS.register("f1")
def f1(labels: Labels, logits: Logits) -> float:
    """Return the harmonic mean of the positives' recall and precision, in [0, 1].

    That is twice the positives called so, over all that are positive and all that are called so
    (van Rijsbergen 1979). NaN without a positive. Of several classes the mean of each against the
    rest (macro); NaN where a class is missing.
    """
    called, classes = logits.argmax(1), _scored(logits)
    if not np.isin(classes, labels).all():
        return np.nan
    right, of_class, so = (
        np.bincount(each, minlength=logits.shape[1])[classes]
        for each in (labels[called == labels], labels, called)
    )
    return float(np.mean(2 * right / (of_class + so)))


@RESAMPLED.register("f1")
def f1_of_draws(resample: Resample) -> Floats:
    """Return the F1 score of each draw (B), see `f1`."""
    labels, called = resample.labels, resample.logits.argmax(1)

    def counts(of: Labels, images: Labels) -> Floats:
        where = (np.ones(len(images), np.float32), (of[images], images))
        shape = resample.logits.shape[::-1]
        found: Floats = (csr_array(where, shape=shape) @ resample.weights).astype(np.float64)
        return found[_scored(resample.logits)]

    every, right = np.arange(len(labels)), np.flatnonzero(called == labels)
    of_class = counts(labels, every)
    with np.errstate(invalid="ignore"):
        each = 2 * counts(labels, right) / (of_class + counts(called, every))
    return over_classes([*np.where(of_class > 0, each, np.nan)])


def _scored(logits: Logits) -> list[int]:
    """Return the classes that a metric is of: of two the positive one."""
    classes = logits.shape[1]
    return [1] if classes == 2 else list(range(classes))


def _right(resample: Resample) -> Labels:
    right: Labels = (resample.logits.argmax(1) == resample.labels).astype(np.int64)
    return right


OF_SEVERAL.add("balanced_accuracy")
