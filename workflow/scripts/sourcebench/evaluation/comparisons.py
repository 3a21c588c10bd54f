"""Tests between two samples, and what many tests at once do to p."""

from math import comb
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy import stats

from sourcebench.evaluation.replicates import Values, defined
from sourcebench.seeds import generator

PERMUTATIONS = 10_000
ROUNDING = 1e-12
"""Differences of metrics, and their standard errors, are 0 if they are smaller."""


class Comparison(NamedTuple):
    """Student's t and its two-sided p; NaN with too few replicates."""

    t: float
    p: float


def permutation_test(a: Values, b: Values) -> Comparison:
    """Test whether two sources differ, as the paper does (§3): a permutation test of Student's t.

    Over the permutations of two samples, |t| grows with the distance between their means, which,
    unlike t, exists where the values of each sample are all equal; so that is what is permuted. If
    there are at most 10,000 ways to part the values, all are tried and p is exact: at best
    2/252 = 0.0079 for 5 folds against 5. Otherwise 10,000 seeded draws are made.

    Args:
        a: one value per replicate, see `replicates`; NaN is left out.
        b: likewise.

    Returns:
        t, positive where `a` has the higher mean (infinite or NaN if neither sample varies), and
        p in (0, 1]. Both NaN if a sample has fewer than two values.
    """
    a, b = defined(a), defined(b)
    if min(len(a), len(b)) < 2:
        return Comparison(np.nan, np.nan)
    difference = a.mean() - b.mean()
    freedom = len(a) + len(b) - 2
    pooled = ((len(a) - 1) * a.var(ddof=1) + (len(b) - 1) * b.var(ddof=1)) / freedom
    with np.errstate(divide="ignore", invalid="ignore"):
        t = difference / np.sqrt(pooled * (1 / len(a) + 1 / len(b)))
    # Ties are ties whatever the order of summation: to nine digits of the largest value.
    scale = max(np.abs(a).max(), np.abs(b).max()) or 1.0
    result = stats.permutation_test(
        (a / scale, b / scale),
        lambda x, y, axis: np.abs(x.mean(axis=axis) - y.mean(axis=axis)).round(9),
        alternative="greater",
        vectorized=True,
        n_resamples=PERMUTATIONS,
        rng=generator("permutation test"),
    )
    return Comparison(float(t), float(result.pvalue))


def student_test(difference: float, error: float, freedom: float) -> Comparison:
    """Test whether a difference of metrics is 0: Student's t, two-sided.

    Args:
        difference: the estimate.
        error: its standard error.
        freedom: degrees of freedom of the standard error.

    Returns:
        t = difference / error, and p in [0, 1]. Where nothing varied, nothing says how far chance
        goes: t is infinite and p NaN, and for no difference t is NaN and p 1.
    """
    same = abs(difference) < ROUNDING
    if error < ROUNDING:
        infinite = np.copysign(np.inf, difference)
        return Comparison(np.nan, 1.0) if same else Comparison(float(infinite), np.nan)
    t = difference / error
    return Comparison(float(t), float(2 * stats.t.sf(abs(t), freedom)))


def smallest_p(n_a: int, n_b: int) -> float:
    """Return the smallest p that `permutation_test` can give for samples of these sizes."""
    if min(n_a, n_b) < 2:
        return np.nan
    ways = comb(n_a + n_b, n_a)
    return (1 + (n_a == n_b)) / ways if ways <= PERMUTATIONS else 1 / (PERMUTATIONS + 1)


def holm(p: Values) -> npt.NDArray[np.float64]:
    """Return Holm's adjusted p (N, float64, in [0, 1]) for a family of tests.

    Rejecting where it is at most α keeps the chance of any false rejection under α (Holm 1979).
    NaN stays NaN and does not count as a test.
    """
    raw = np.asarray(p, np.float64)
    adjusted = np.full(raw.shape, np.nan)
    tested = np.flatnonzero(~np.isnan(raw))
    order = tested[np.argsort(raw[tested], kind="stable")]
    remaining = np.arange(len(order), 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(raw[order] * remaining), 1)
    return adjusted
