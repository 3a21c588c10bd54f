"""Confidence intervals of the metrics of one network's answers, over patients."""

from collections.abc import Collection, Iterator
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.bootstrap import estimate
from sourcebench.evaluation.failures import (
    BOUNDS,
    FAILURE_METRICS,
    OF_BOTH,
    Answers,
    limits,
    score,
    score_draws,
)
from sourcebench.evaluation.intervals import Interval
from sourcebench.evaluation.resampling import FEW, Floats, Patients, blocks

HEADLINE = "aurc"
"""The metric of which all draws are scored."""


def intervals(
    answers: Answers,
    ids: npt.ArrayLike,
    patients: Patients,
    level: float = 0.95,
    metrics: Collection[str] = FAILURE_METRICS,
) -> dict[str, Interval]:
    """Return metrics with their confidence intervals over patients, as `bootstrap` makes them.

    Those of `BOUNDS` have their own. The calibration error is too high by what noise adds to each
    bin, and so is its interval: of few answers, or where it is near to 0, it misses the truth. The
    degrees of freedom are those of the patients with a failure, or with a right answer,
    whichever are fewer. A metric without a value has no bounds.

    Args:
        answers: N of them.
        ids: of their patients.
        patients: drawn, those of the test set.
        level: of confidence, in (0, 1).
        metrics: which; all, if they are left out.

    Raises:
        SourceBenchError: there are not as many patients' ids as answers.
    """
    names = np.asarray(ids, str)
    if names.shape != answers.failures.shape:
        raise SourceBenchError(
            f"There are {len(answers.failures)} answers and {names.size} patients' ids; each "
            "answer needs one."
        )
    drawn = draws(answers, names, patients, set(metrics) - set(BOUNDS))
    every, rarest = counts(answers, names)
    found = {}
    for name, value in score(answers).items():
        if name not in metrics:
            continue
        if name in BOUNDS:
            found[name] = Interval(value, *BOUNDS[name](answers, names, level))
            continue
        made = estimate(np.array([value]), drawn[name][None], rarest)
        # Where nothing varies, all patients agree, or those do that are set against others.
        made = replace(made, patients=rarest if name in OF_BOTH else every)
        found[name] = Interval(value, *map(float, made.interval(limits(name), level)))
    return found


def draws(
    answers: Answers,
    ids: npt.ArrayLike,
    patients: Patients,
    metrics: Collection[str] = FAILURE_METRICS,
) -> dict[str, Floats]:
    """Return metrics on draws of the patients: `HEADLINE` on all, others on the first `FEW`.

    Answers are weighted some draws at a time: of 100,000 and 2,000 draws the weights alone would
    take 800 MB.
    """
    rows = patients.rows(ids)
    every = [name for name in FAILURE_METRICS if name in metrics]
    parts: dict[str, list[Floats]] = {name: [] for name in every}
    for block in _blocks(patients.draws, len(rows)):
        wanted = [name for name in every if name == HEADLINE or block.stop <= FEW]
        if not wanted:
            break
        for name, values in score_draws(answers, patients.drawn(rows, block), wanted).items():
            parts[name].append(values)
    return {name: np.concatenate(each) for name, each in parts.items()}


def counts(answers: Answers, ids: npt.NDArray[np.str_]) -> tuple[int, int]:
    """Return how many patients there are, and how many of the rarer kind.

    Of those with a failure and those with a right answer; at most half of all, since who has both
    is no two patients. Both numbers are 2 or more.
    """
    every = max(2, len(np.unique(ids)))
    kinds = (len(np.unique(ids[of])) for of in (answers.failures, ~answers.failures))
    return every, max(2, min(*kinds, every // 2))


def _blocks(draws: int, images: int) -> Iterator[slice]:
    """Yield all draws in turn, some at a time, none of which are before and after `FEW`."""
    for start, stop in ((0, min(FEW, draws)), (FEW, draws)):
        for block in blocks(max(0, stop - start), images):
            yield slice(start + block.start, start + block.stop)
