"""How many answers can be kept at a risk that is allowed."""

from functools import partial

import numpy as np
import numpy.typing as npt
from scipy.special import betainc

from sourcebench.evaluation.failures import BOUNDS, FAILURE_METRICS
from sourcebench.evaluation.failures.answers import ROUNDING, Answers, Kept
from sourcebench.evaluation.resampling import Floats

RISKS = {"coverage_at_risk_1": 100, "coverage_at_risk_2": 50, "coverage_at_risk_5": 20}
"""A risk of 1, 2 and 5 %: one failure among so many that are kept."""


def coverage_at_risk(kept: Kept, one_in: int) -> Floats:
    """Return the largest coverage at which the selective risk is at most 1 / `one_in` (B).

    In [0, 1]; higher is better. Of the thresholds that there are, even where a higher one is above
    the risk; 0 where all are. It is chosen for its low risk, and so too large on the mean: of few
    answers by much, as its interval shows.
    """
    allowed = kept.failed * np.float32(one_in) <= kept.accepted  # whole numbers: no rounding
    with np.errstate(invalid="ignore"):
        share: Floats = np.where(allowed, kept.accepted, 0).max(0) / kept.images
    return share


def coverage_bounds(
    answers: Answers, ids: npt.NDArray[np.str_], level: float, one_in: int
) -> tuple[float, float]:
    """Return the bounds of the coverage at a risk of 1 / `one_in`, over patients.

    It leaps where a failure comes or goes, so that draws say little of its error. The bounds are
    those of the risk in place of it: up to the lower one the risk is below 1 / `one_in` with its
    whole interval; beyond the upper one it is above. Of the answers kept at a threshold, which a
    patient may have several of, the interval is that of Korn & Graubard (1998): Clopper &
    Pearson's for as many as would have the same variance, were they independent.

    Args:
        answers: N of them.
        ids: of their patients.
        level: of confidence, in (0, 1).
        one_in: failures among those kept.

    Returns:
        Both in [0, 1], the coverage between them; NaN without answers.
    """
    if not len(ids):
        return np.nan, np.nan
    kept, failed, size = _independent(answers, ids)
    hits = size * failed / kept
    with np.errstate(invalid="ignore"):  # where none is wrong or all are, and a bound is 0 or 1
        under = betainc(hits + 1, size - hits, 1 / one_in) >= (1 + level) / 2
        over = betainc(hits, size - hits + 1, 1 / one_in) < (1 - level) / 2
    low, high = (np.where(here, kept, 0).max() / len(ids) for here in (under, ~over))
    return float(low), float(max(low, high))


def _independent(answers: Answers, ids: npt.NDArray[np.str_]) -> tuple[Floats, Floats, Floats]:
    """Return how many are kept at each threshold, how many fail, and as how many they count (M).

    A risk r = f / n has the variance Σ (fᵢ − r nᵢ)² / n² over the patients i, that of a ratio;
    r (1 − r) over it is how many they count as. Where patients do not differ, as where r is 0 or 1
    or there is one of them, that is how many they are.
    """
    order = answers.order
    patient = np.unique(ids, return_inverse=True)[1][order]
    fails = answers.failures[order].astype(np.float64)
    before, wrong = _before(patient, np.ones_like(fails)), _before(patient, fails)
    added = np.stack([
        np.ones_like(fails), fails, before == 0,  # answers, failures, patients
        2 * before + 1, 2 * fails * wrong + fails, wrong + fails * (before + 1),  # squares
    ])  # fmt: skip
    up_to = added.cumsum(1)[:, answers.ends[1:] - 1]
    kept, failed, patients, of_kept, of_failed, of_both = up_to
    risk = failed / kept
    spread = of_failed - 2 * risk * of_both + risk**2 * of_kept
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.minimum(risk * (1 - risk) * kept**2 / spread, kept)
    return kept, failed, np.where(spread > ROUNDING, size, patients)


def _before(patient: npt.NDArray[np.intp], values: Floats) -> Floats:
    """Return the sum over the same patient's answers that come before each (N)."""
    together = np.argsort(patient, kind="stable")
    sums = np.append(0.0, np.cumsum(values[together]))
    firsts = np.flatnonzero(np.diff(patient[together], prepend=-1))
    lengths = np.diff(np.append(firsts, len(patient)))
    found = np.empty_like(values)
    found[together] = sums[:-1] - np.repeat(sums[firsts], lengths)
    return found


for _name, _one_in in RISKS.items():
    FAILURE_METRICS.register(_name)(partial(coverage_at_risk, one_in=_one_in))
    BOUNDS[_name] = partial(coverage_bounds, one_in=_one_in)
