"""Confidence intervals of a mean over replicates, which stay where a metric can be.

Three folds with AUROCs near 0 or 1 have a t-interval that leaves [0, 1] more often than not, and
that misses the mean too often, since such values are skewed. So the interval is Student's on the
scale of the logit, one of the usual ones for an AUROC (Qin & Hotilovac 2008). What
is transformed is the mean, its standard error by the delta method: the interval is one of the mean
that is reported, holds it, and needs no mending where the AUROC of some fold is exactly 0 or 1, as
an average of the folds' logits would. Away from the ends it is the t-interval.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.special import expit, logit

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.replicates import Values, defined

Limits = tuple[float, float]
UNIT: Limits = (0.0, 1.0)


class Interval(NamedTuple):
    """A mean and the bounds of its confidence interval; NaN where the replicates are too few."""

    mean: float
    low: float
    high: float


def mean_ci(values: Values, level: float = 0.95, limits: Limits | None = UNIT) -> Interval:
    """Return the mean over replicates with its confidence interval, see `bounds`.

    Args:
        values: one per replicate; NaN (undefined there) is left out.
        level: of confidence, in (0, 1).
        limits: between which the values must lie; None for a quantity without limits.

    Returns:
        The mean (NaN without a value) and the interval's bounds (NaN with fewer than two values).

    Raises:
        SourceBenchError: a value lies outside the limits.
    """
    sample = defined(values)
    if len(sample) < 2:
        return Interval(float(sample.mean()) if len(sample) else np.nan, np.nan, np.nan)
    mean, sd = sample.mean(), sample.std(ddof=1)
    if limits and not (limits[0] <= sample.min() and sample.max() <= limits[1]):
        wrong = sample.min() if sample.min() < limits[0] else sample.max()
        raise SourceBenchError(
            f"An interval needs values in [{limits[0]:g}, {limits[1]:g}], and one is {wrong:g}; "
            "a metric of another range says so in evaluation.metrics.LIMITS."
        )
    low, high = bounds(mean, sd, len(sample), level, limits)
    return Interval(float(mean), float(low), float(high))


def bounds(
    mean: npt.ArrayLike,
    sd: npt.ArrayLike,
    count: npt.ArrayLike,
    level: float = 0.95,
    limits: Limits | None = UNIT,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the bounds of the confidence intervals of many means, see `bounds_with`.

    Args:
        mean: of the replicates.
        sd: their sample standard deviation (N − 1).
        count: how many there are.
        level: of confidence, in (0, 1).
        limits: between which the values lie.

    Returns:
        Lower and upper bounds, in the limits; NaN where the count is under 2.
    """
    sd, count = (np.asarray(each, np.float64) for each in (sd, count))
    several = np.where(count > 1, count, np.nan)
    return bounds_with(mean, sd / np.sqrt(several), several - 1, level, limits)


def bounds_with(
    mean: npt.ArrayLike,
    error: npt.ArrayLike,
    freedom: npt.ArrayLike,
    level: float = 0.95,
    limits: Limits | None = UNIT,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return the bounds of the confidence intervals of estimates with known standard errors.

    With m the mean as a share of the limits' span and e its standard error likewise: logit(m) ±
    t · e / (m (1 − m)), transformed back; t is Student's quantile of these degrees of freedom.
    Where nothing varies, at a limit above all, both bounds are the mean: of folds they say that the
    result did not depend on the split. Without limits the plain t-interval.

    Args:
        mean: the estimates.
        error: their standard errors.
        freedom: degrees of freedom of the standard errors.
        level: of confidence, in (0, 1).
        limits: between which the estimates lie.

    Returns:
        Lower and upper bounds, in the limits; NaN where the standard error is, or where there is
        no degree of freedom.
    """
    mean, error, freedom = (np.asarray(each, np.float64) for each in (mean, error, freedom))
    half = stats.t.ppf((1 + level) / 2, np.where(freedom > 0, freedom, np.nan)) * error
    if limits is None:
        return mean - half, mean + half
    span = limits[1] - limits[0]
    share = (mean - limits[0]) / span
    inside = (half > 0) & (share > 0) & (share < 1)
    centre = np.where(inside, share, 0.5)
    wide = half / span / (centre * (1 - centre))
    low, high = (limits[0] + span * expit(logit(centre) + sign * wide) for sign in (-1, 1))
    still = mean + 0 * half  # NaN where there are too few
    return np.where(inside, low, still), np.where(inside, high, still)
