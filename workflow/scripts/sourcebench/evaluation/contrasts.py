"""Intervals of sums and differences of means that have intervals of their own."""

from collections.abc import Sequence

import numpy as np

from sourcebench.evaluation.intervals import Interval


def contrast(terms: Sequence[Interval], signs: Sequence[int]) -> Interval:
    """Return a sum of means, each with its sign, and its interval: the method of Zou & Donner 2008.

    The interval of the sum of independent estimates follows from their own (MOVER): each gives the
    distance from its mean to its bound on the side in question, and the squares of the distances
    add up. Intervals need not be symmetrical, and the sum's stays in the sums' range. Where all
    are ± t times a standard error, so is the sum's. The same folds make all of a study's cells, so
    that its estimates are not independent: where folds that are hard for one are hard for the
    other, the interval of a difference is wider than it need be.

    Args:
        terms: means with the bounds of their intervals, of one level.
        signs: 1 or −1, one for each.

    Returns:
        The sum and the bounds of its interval of the same level; NaN where one of them is.
    """
    below = [
        t.mean - t.low if s > 0 else t.high - t.mean for t, s in zip(terms, signs, strict=True)
    ]
    above = [
        t.high - t.mean if s > 0 else t.mean - t.low for t, s in zip(terms, signs, strict=True)
    ]
    total = sum(s * t.mean for t, s in zip(terms, signs, strict=True))
    return Interval(
        float(total),
        float(total - np.linalg.norm(below)),
        float(total + np.linalg.norm(above)),
    )
