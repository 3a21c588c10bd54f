"""What the decisions are worth: an image is called what is most probable, at a tie the first."""

import numpy as np

from sourcebench.evaluation.metrics import METRICS, OF_SEVERAL, Labels, Logits, missing_class


@METRICS.register("accuracy")
def accuracy(labels: Labels, logits: Logits) -> float:
    """Return the share of images called rightly, in [0, 1]."""
    return float(np.mean(logits.argmax(1) == labels))


@METRICS.register("recall")
def recall(labels: Labels, logits: Logits) -> float:
    """Return the share of the positives that are called so, in [0, 1]; NaN without a positive.

    NaN with several classes, too, of which none is the positive one: `balanced_accuracy` is there.
    The paper reports 0 for randomly initialised networks on the lung mass task (§3).
    """
    called = logits[labels == 1].argmax(1) == 1
    return float(called.mean()) if called.size and logits.shape[1] == 2 else np.nan


@METRICS.register("prevalence")
def prevalence(labels: Labels, logits: Logits) -> float:
    """Return the share of positives, in [0, 1]: the AUPRC of a network that guesses.

    NaN with several classes, of which none is the positive one.
    """
    return float(np.mean(labels == 1)) if logits.shape[1] == 2 else np.nan


@METRICS.register("balanced_accuracy")
def balanced_accuracy(labels: Labels, logits: Logits) -> float:
    """Return the mean over the classes of the share called rightly, in [0, 1].

    NaN where a class is missing; a network that guesses has 1/K.
    """
    if missing_class(labels, logits):
        return np.nan
    right = logits.argmax(1) == labels
    return float(np.mean([right[labels == label].mean() for label in np.unique(labels)]))


OF_SEVERAL.add("balanced_accuracy")
