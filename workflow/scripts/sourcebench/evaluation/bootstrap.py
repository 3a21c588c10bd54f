"""Intervals and tests of a mean over replicates, each tested on the same patients.

Two things vary: who is in the test set, and the replicate (the fold, or the seed). A cell's mean m
over F replicates has the variance

    V = Vp + max(0, S² / F − Vpf),   Vpf = (mean of the replicates' own Vp − Vp) / (F − 1).

Vp is that of m over draws of the patients, the same draws for all replicates. S² is that of the
replicates. Part of S² is patients again: of patients × replicates, which Vp has already, and Vpf
takes away. These are the components of variance of a crossed design, which analyses of many readers
and many cases estimate as well, a replicate being a reader (Obuchowski & Rockette 1995; Gallas
2006). Resampling replicates along with the patients would count that part three times (Owen 2007),
and five of them at a time say little about tails. The degrees of freedom are Satterthwaite's, the
patients having as many as they are, less one.

Where the replicates are one, V is Vp. It speaks of other patients of this kind and other folds (or
seeds) of this development set, and not of another development set: folds share most of theirs.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.special import logit

from sourcebench.evaluation.comparisons import ROUNDING
from sourcebench.evaluation.intervals import Limits, bounds_with
from sourcebench.evaluation.resampling import Floats


@dataclass(frozen=True)
class Estimate:
    """Means over replicates, of one cell or an array of them.

    Attributes:
        mean: over the replicates, on the test set as it is.
        se: its standard error, the root of V; NaN where there is no telling, as of one replicate
            without draws.
        freedom: its degrees of freedom.
        shrink: which share of the replicates' spread, as a standard deviation, is their own.
        patients: how many there are; of a rate or an area, of the rarest class.
    """

    mean: Floats
    se: Floats
    freedom: Floats
    shrink: Floats
    patients: int

    def interval(self, limits: Limits | None, level: float = 0.95) -> tuple[Floats, Floats]:
        """Return the bounds of the confidence interval, inside the limits, see `bounds_with`.

        A mean that lies on a limit varies in no draw, and is not certain for all that: its other
        bound is that of Clopper & Pearson (1934) for so many patients, all of whom agree.
        """
        low, high = bounds_with(self.mean, self.se, self.freedom, level, limits)
        if limits is None:
            return low, high
        slack = (limits[1] - limits[0]) * (1 - ((1 - level) / 2) ** (1 / self.patients))
        least, most = (np.abs(self.mean - limit) < ROUNDING for limit in limits)
        least, most = (each & ~np.isnan(self.se) for each in (least, most))
        low = np.where(most, limits[1] - slack, np.where(least, limits[0], low))
        return low, np.where(least, limits[0] + slack, np.where(most, limits[1], high))

    def p(self, limits: Limits | None) -> Floats:
        """Return the two-sided p of a drop or difference being 0.

        On the scale of the interval, so that the two agree: p is under 0.05 where 0 is outside.

        Args:
            limits: between which it lies, as far below 0 as above; None for one without limits.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            t = np.abs(self.mean) / self.se
            if limits is not None:
                share = (self.mean - limits[0]) / (limits[1] - limits[0])
                slope = (limits[1] - limits[0]) * share * (1 - share)
                bent = np.abs(logit(share)) * slope / self.se
                t = np.where((share > 0) & (share < 1), bent, t)
        t = np.where((np.abs(self.mean) < ROUNDING) & ~np.isnan(self.se), 0, t)
        p: Floats = 2 * stats.t.sf(t, self.freedom)
        return p

    def cautious(self, limits: Limits, still: npt.NDArray[np.bool_]) -> Estimate:
        """Return the estimate with an error where nothing varied: all AUROCs are 0, 0.5 or 1.

        So many patients who agree leave room for others: that of Clopper & Pearson's bound.

        Args:
            limits: between which the mean lies, as far below 0 as above.
            still: which means are of AUROCs that no draw varies (`cells.STILL`).
        """
        room = limits[1] * (1 - 0.025 ** (1 / self.patients))
        least = room / stats.t.ppf(0.975, self.freedom)
        return replace(self, se=np.where(still & (self.se < ROUNDING), least, self.se))


def estimate(
    values: npt.NDArray[np.floating], draws: npt.NDArray[np.floating], patients: int
) -> Estimate:
    """Return the means over replicates, with what is known of their error.

    Args:
        values: …×F, of each replicate on the test set as it is; NaN where it has none.
        draws: …×F×B, of each replicate on draws of the patients; NaN likewise.
        patients: how many there are; of a rate or an area, of the rarest class.
    """
    there = ~np.isnan(values)
    count = there.sum(-1)
    # Sums in place of nanmean, which warns of cells that are empty.
    share = there / np.maximum(count, 1)[..., None]
    mean = mean_of(values, -1)
    drawn = np.nan_to_num(draws, nan=0.0)
    defined = (~np.isnan(draws) | ~there[..., None]).all(-2)  # a draw without positives is none
    together = np.einsum("...fb,...f->...b", drawn, share)
    of_patients = _variance(together, defined)
    own = (_variance(drawn, defined[..., None, :]) * share).sum(-1)
    several = np.where(count > 1, count, np.nan)
    spread = np.where(there, values - mean[..., None], 0.0)
    of_replicates = (spread**2).sum(-1) / (several - 1) / several
    twice = np.maximum(own - of_patients, 0) / (several - 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        rest = np.maximum(of_replicates - twice, 0)
        shrink = np.where(of_replicates > 0, np.sqrt(rest / of_replicates), 0.0)
        variance = of_patients + np.nan_to_num(rest)
        parts = np.nan_to_num(of_replicates**2 / (several - 1)) + of_patients**2 / (patients - 1)
        freedom = np.where(parts > 0, variance**2 / parts, max(patients - 1, 1))
    told = (count > 1) | ((count > 0) & (defined.sum(-1) > 1))
    se = np.where(told, np.sqrt(variance), np.nan)
    return Estimate(mean, se, np.maximum(freedom, 1.0), np.nan_to_num(shrink), patients)


def joint(
    values: npt.NDArray[np.floating],
    draws: npt.NDArray[np.floating],
    shrink: Floats,
    replicates: npt.NDArray[np.floating],
) -> Floats:
    """Return draws of the means (…×B), for what is no mean of them, such as a rank.

    Patients are drawn as in `draws`; of the replicates, those that `replicates` draws are set
    against all of them, and shrunk to the part of their spread that is their own. The variance of
    the result is that of `estimate`.

    Args:
        values: …×F.
        draws: …×F×B.
        shrink: …, see `Estimate`.
        replicates: F×B, from `replicate_weights`: the same for all that is compared.
    """
    centre = mean_of(values, -1)[..., None]
    off = np.einsum("...f,fb->...b", np.nan_to_num(values - centre), replicates)
    every, count = values.shape[-1], (~np.isnan(values)).sum(-1)
    # As much as draws of those alone that there are.
    missing = np.sqrt(every * max(every - 1, 1) / np.maximum(count * (count - 1), 1))
    drawn: Floats = mean_of(draws, -2) + (shrink * missing)[..., None] * off
    return drawn


def replicate_weights(count: int, draws: int, rng: np.random.Generator) -> Floats:
    """Return the shares of F replicates in each draw (F×B): F − 1 of them, with replacement.

    One less than there are makes the variance of a drawn mean S² / F (Rao & Wu 1988).
    """
    if count < 2:
        return np.ones((count, draws))
    drawn = rng.multinomial(count - 1, np.full(count, 1 / count), draws)
    shares: Floats = drawn.T / (count - 1)
    return shares


def mean_of(values: npt.NDArray[np.floating], axis: int) -> Floats:
    """Return the mean of those that are numbers; NaN where none is, without a warning."""
    there = ~np.isnan(values)
    count = there.sum(axis)
    mean = np.where(there, values, 0).sum(axis, dtype=np.float64) / np.maximum(count, 1)
    return np.where(count > 0, mean, np.nan)


def _variance(draws: Floats, defined: npt.NDArray[np.bool_]) -> Floats:
    """Return the variance over the draws that are defined; 0 where fewer than two are."""
    count = defined.sum(-1)
    mean = (draws * defined).sum(-1) / np.maximum(count, 1)
    squared = ((draws - mean[..., None]) ** 2 * defined).sum(-1)
    variance: Floats = squared / np.maximum(count - 1, 1)
    return variance
