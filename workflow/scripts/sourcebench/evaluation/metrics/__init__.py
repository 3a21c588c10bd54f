"""Metrics of a prediction of K classes.

A metric is a function `(labels, logits) -> float` in a module of this package, registered in
`METRICS`; it becomes a column of `runs.csv`, in the order of registration, unless no run has it
(see `OF_SEVERAL`). Labels are N integers in [0, K), with two classes 0 (negative) and 1 (positive);
logits are N×K finite floats, one column per class. A metric that is undefined on a set, such as the
AUROC where a class is missing, is NaN there, not an error. It lies in [0, 1], or its range stands
in `LIMITS`, to which intervals keep.

With two classes a metric speaks of the positive one. With more it is the mean over all classes,
each against the rest (`against_the_rest`), or something that needs no positive class; each says so.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit, logsumexp, softmax

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.resampling import Resample
from sourcebench.registry import Registry, discover

Labels = npt.NDArray[np.integer[Any]]
Logits = npt.NDArray[np.floating[Any]]
Floats = npt.NDArray[np.float64]
Metric = Callable[[Labels, Logits], float]
Resampled = Callable[[Resample], Floats]

METRICS: Registry[Metric] = Registry("metric")

RESAMPLED: Registry[Resampled] = Registry("metric of draws")
"""The same metrics on many draws of a test set at once: `(resample) → B values`, NaN where a draw
has no such value. One that is not here has an interval over folds alone."""

LIMITS: dict[str, tuple[float, float] | None] = {}
"""The range of each metric that does not lie in [0, 1]; None for one without two limits."""

OF_SEVERAL: set[str] = set()
"""Metrics that are for more than two classes alone: with two they say nothing new."""

PREFIX = "logit_"
"""A class's column of the predictions: `logit_0` … `logit_{K−1}`."""


def limits(metric: str) -> tuple[float, float] | None:
    """Return the range of a metric, or None if it has not got two limits."""
    return LIMITS.get(metric, (0.0, 1.0))


def margin(logits: Logits, label: int = 1) -> Floats:
    """Return the log odds of a class (N, float64): its logit less all the others' together.

    They rank as its share of the softmax does, and never saturate. Of two classes they are the
    difference of the logits.
    """
    wide = logits.astype(np.float64)
    others = np.delete(wide, label, axis=1)
    rest = others[:, 0] if others.shape[1] == 1 else logsumexp(others, axis=1)
    difference: Floats = wide[:, label] - rest
    return difference


def probability(logits: Logits) -> Floats:
    """Return the softmax probability of the positive of two classes (N, float64, in [0, 1])."""
    positive: Floats = expit(margin(logits))
    return positive


def probabilities(logits: Logits) -> Floats:
    """Return the softmax probabilities of all classes (N×K, float64, in [0, 1])."""
    if logits.shape[1] == 2:
        positive = probability(logits)
        return np.stack([1 - positive, positive], axis=1)
    shares: Floats = softmax(logits.astype(np.float64), axis=1)
    return shares


def margins(logits: Logits) -> Floats:
    """Return the log odds of every class (N×K, float64), see `margin`.

    Of all classes at once: the rest of a class is the sum of all less its own, but for the largest,
    of which nothing might be left.
    """
    wide = logits.astype(np.float64)
    rows, largest = np.arange(len(wide)), wide.argmax(1)
    top = wide[rows, largest]
    shares = np.exp(wide - top[:, None])
    with np.errstate(divide="ignore"):  # the largest's, where nothing is left
        rest = np.log(shares.sum(1, keepdims=True) - shares) + top[:, None]
    others = wide.copy()
    others[rows, largest] = -np.inf
    rest[rows, largest] = logsumexp(others, axis=1)
    odds: Floats = wide - rest
    return odds


def against_the_rest(labels: Labels, logits: Logits) -> Iterator[tuple[Labels, Floats]]:
    """Yield whether each image is of a class (N, 0|1) and its `margin`, class by class.

    Of two classes the positive one alone: the other would say the same again.
    """
    classes = logits.shape[1]
    if classes == 2:
        yield (labels == 1).astype(np.int64), margin(logits)
        return
    for label, odds in enumerate(margins(logits).T):
        yield (labels == label).astype(np.int64), np.ascontiguousarray(odds)


def over_classes(each: Sequence[Floats]) -> Floats:
    """Return the mean over the classes that a draw has (B), of K values of it (K×B).

    With a thousand classes of a few patients each, no draw would have them all. Of two classes it
    has to have both.
    """
    values = np.stack(each)
    there = ~np.isnan(values)
    count = np.where(there.all(0) | (len(values) > 2), there.sum(0), 0)
    with np.errstate(invalid="ignore"):
        mean: Floats = np.where(count > 0, np.where(there, values, 0).sum(0), np.nan) / count
    return mean


def missing_class(labels: Labels, logits: Logits) -> bool:
    """Tell whether a class has no image."""
    return bool(len(np.unique(labels)) < logits.shape[1])


def columns_of_logits(columns: Iterable[str]) -> list[str]:
    """Return the names of the logits' columns, `logit_0` … `logit_{K−1}`; K is 2 or more."""
    classes = max(2, sum(column.startswith(PREFIX) for column in columns))
    return [f"{PREFIX}{label}" for label in range(classes)]


def score(predictions: pd.DataFrame) -> dict[str, float]:
    """Return every metric of the predictions on one test set.

    Args:
        predictions: columns `label` (in [0, K)) and `logit_0` … `logit_{K−1}`; one row per image.

    Raises:
        SourceBenchError: there is no row, a label is that of no class, or a logit is not finite.
    """
    labels = predictions["label"].to_numpy(np.int64)
    logits = predictions[columns_of_logits(predictions.columns)].to_numpy(np.float64)
    classes = logits.shape[1]
    if len(labels) == 0:
        raise SourceBenchError("There are no predictions to score: the test set is empty.")
    if not np.isin(labels, range(classes)).all():
        known = "neither 0 nor 1" if classes == 2 else f"not in 0 … {classes - 1}"
        raise SourceBenchError(f"A label is {known}; run the fine-tuning again.")
    if not np.isfinite(logits).all():
        raise SourceBenchError(
            f"{(~np.isfinite(logits)).any(axis=1).sum()} of {len(logits)} predictions are not "
            "finite: the network diverged; run it again with a lower learning rate or in fp32."
        )
    wanted = [name for name in METRICS.names() if classes > 2 or name not in OF_SEVERAL]
    return {name: METRICS.get(name)(labels, logits) for name in wanted}


discover(__name__, __path__)
