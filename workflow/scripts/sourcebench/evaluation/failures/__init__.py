"""Does a network know when it is wrong? Metrics of a confidence score as a detector of failures.

A score says of each answer how confident the network is of it; who is not confident enough is
rejected, and a doctor asked. Whether an answer is wrong is judged apart from that: a score comes
with the predictions that it is made for (Jaeger et al., ICLR 2023; Bungert et al., MICCAI 2023).

A metric is a function `(Kept) -> B values` in a module of this package, registered in
`FAILURE_METRICS`: of B draws of the answers at once, or of the answers as they are, which is one
draw that has each of them once. All are shares: where a table shows percent, it says so. A metric
that is undefined, as a rate of the failures where there is none, is NaN, not an error. It lies in
[0, 1], or its range stands in `LIMITS`.

They hang on the order of the confidences alone, and equal ones are rejected together, so that the
order of the rows says nothing. Those in `OF_PROBABILITIES` take them for such.
"""

from collections.abc import Callable, Iterable

import numpy as np
import numpy.typing as npt

from sourcebench.evaluation.failures.answers import Answers, Kept
from sourcebench.evaluation.intervals import UNIT, Limits
from sourcebench.evaluation.resampling import Floats, Weights, blocks
from sourcebench.registry import Registry, discover

__all__ = [
    "BOUNDS",
    "FAILURE_METRICS",
    "LIMITS",
    "OF_BOTH",
    "OF_PROBABILITIES",
    "Answers",
    "Kept",
    "score",
    "score_draws",
]

FailureMetric = Callable[[Kept], Floats]

FAILURE_METRICS: Registry[FailureMetric] = Registry("metric of failures")

LIMITS: dict[str, Limits | None] = {}
"""The range of each metric that does not lie in [0, 1]; None for one without two limits."""

Bounds = Callable[[Answers, npt.NDArray[np.str_], float], tuple[float, float]]

BOUNDS: dict[str, Bounds] = {}
"""Metrics whose interval is not made of draws: `(answers, ids of their patients, level) -> (low,
high)`."""

OF_BOTH: set[str] = set()
"""Metrics that set failures against the rest: NaN where there is no failure, or nothing else."""

OF_PROBABILITIES: set[str] = set()
"""Metrics that take confidences for probabilities: all others hang on their order alone."""


def limits(metric: str) -> Limits | None:
    """Return the range of a metric, or None if it has not got two limits."""
    return LIMITS.get(metric, UNIT)


def score(answers: Answers) -> dict[str, float]:
    """Return `n` and `failures`, how many answers there are and how many are wrong, and metrics."""
    kept = Kept.of(answers)
    found = {name: float(FAILURE_METRICS.get(name)(kept)[0]) for name in FAILURE_METRICS}
    return {"n": len(answers.failures), "failures": int(answers.failures.sum()), **found}


def score_draws(
    answers: Answers, weights: Weights, names: Iterable[str] = FAILURE_METRICS
) -> dict[str, Floats]:
    """Return metrics of the answers on draws of their patients: metric → B values.

    Some draws at a time (`blocks`): so beside the weights little memory is needed.

    Args:
        answers: N of them.
        weights: N×B, how many times each answer is in each draw; whole numbers, less than 2²⁴ in a
            draw.
        names: of the metrics; all, if they are left out.
    """
    wanted = {name: FAILURE_METRICS.get(name) for name in names}
    found = {name: np.empty(weights.shape[1]) for name in wanted}
    for block in blocks(weights.shape[1], len(weights)):
        kept = Kept(answers, weights[:, block])
        for name, metric in wanted.items():
            found[name][block] = metric(kept)
    return found


discover(__name__, __path__)
