"""Metrics of a two-class prediction.

A metric is a function `(labels, logits) -> float` in a module of this package, registered in
`METRICS`; it becomes a column of `runs.csv`, in the order of registration. Labels are N integers,
0 (negative) or 1 (positive); logits are N×2 finite floats, one column per class. A metric that is
undefined on a set, such as the AUROC where one class is missing, is NaN there, not an error. It
lies in [0, 1], or its range stands in `LIMITS`, to which intervals keep.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.special import expit

from sourcebench.errors import SourceBenchError
from sourcebench.registry import Registry, discover

Labels = npt.NDArray[np.integer[Any]]
Logits = npt.NDArray[np.floating[Any]]
Metric = Callable[[Labels, Logits], float]

METRICS: Registry[Metric] = Registry("metric")
LIMITS: dict[str, tuple[float, float] | None] = {}
"""The range of each metric that does not lie in [0, 1]; None for one without two limits."""


def limits(metric: str) -> tuple[float, float] | None:
    """Return the range of a metric, or None if it has not got two limits."""
    return LIMITS.get(metric, (0.0, 1.0))


def margin(logits: Logits) -> npt.NDArray[np.float64]:
    """Return logit_1 − logit_0 (N, float64): it ranks as the softmax does, and never saturates."""
    wide = logits.astype(np.float64)
    difference: npt.NDArray[np.float64] = wide[:, 1] - wide[:, 0]
    return difference


def probability(logits: Logits) -> npt.NDArray[np.float64]:
    """Return the softmax probability of the positive class (N, float64, in [0, 1])."""
    positive: npt.NDArray[np.float64] = expit(margin(logits))
    return positive


def score(predictions: pd.DataFrame) -> dict[str, float]:
    """Return every metric of the predictions on one test set.

    Args:
        predictions: columns `label` (0|1), `logit_0`, `logit_1`; one row per image.

    Raises:
        SourceBenchError: there is no row, a label is neither 0 nor 1, or a logit is not finite.
    """
    labels = predictions["label"].to_numpy(np.int64)
    logits = predictions[["logit_0", "logit_1"]].to_numpy(np.float64)
    if len(labels) == 0:
        raise SourceBenchError("There are no predictions to score: the test set is empty.")
    if not np.isin(labels, (0, 1)).all():
        raise SourceBenchError("A label is neither 0 nor 1; run the fine-tuning again.")
    if not np.isfinite(logits).all():
        raise SourceBenchError(
            f"{(~np.isfinite(logits)).any(axis=1).sum()} of {len(logits)} predictions are not "
            "finite: the network diverged; run it again with a lower learning rate or in fp32."
        )
    return {name: METRICS.get(name)(labels, logits) for name in METRICS.names()}


discover(__name__, __path__)
