"""Whether a study agrees with what was published: 'yes', 'no', or 'unclear'."""

from collections.abc import Callable, Sequence

import numpy as np

from sourcebench.evaluation.intervals import Interval
from sourcebench.evaluation.published.match import Point
from sourcebench.evaluation.published.ours import Permuted

LEVEL = 0.05
LOSING = ("falls", "rises", "stays", "loses less", "loses as much")
"""Claims about what is lost, which networks without skill have nothing of."""


def says(claim: str, ours: Interval, margin: float, skilled: str) -> str:
    """Tell whether our difference agrees with a claim.

    Args:
        claim: one of `SAYS`.
        ours: our difference with its interval.
        margin: how near 'as much' is, or how far a published change may be off.
        skilled: of the networks that it is about, the worst.

    Returns:
        'yes' where all of the interval says the same, 'no' where none of it does, else 'unclear':
        as without an interval, and as of losses where a side has no skill that it could lose.
    """
    unable = claim in LOSING and skilled in ("no", "misled")
    return "unclear" if unable else SAYS[claim](ours, margin)


def _over(ours: Interval, _: float) -> str:
    return "yes" if ours.low > 0 else "no" if ours.high < 0 else "unclear"


def _under(ours: Interval, _: float) -> str:
    return "yes" if ours.high < 0 else "no" if ours.low > 0 else "unclear"


def _near(ours: Interval, margin: float) -> str:
    """Tell whether a difference is within the margin, whole interval and all."""
    if -margin <= ours.low and ours.high <= margin:
        return "yes"
    return "no" if ours.low > margin or ours.high < -margin else "unclear"


SAYS: dict[str, Callable[[Interval, float], str]] = {
    "falls": _under, "rises": _over, "stays": _near,
    "loses less": _over, "loses as much": _near,
    "scores more": _over, "scores as much": _near,
    "trains longer": _over,
}  # fmt: skip
"""What a claim says of our difference."""


def finding(point: Point) -> str:
    """Return what a published permutation test found, at 5 %: 'is under …', say."""
    if point["p"] > LEVEL:
        return f"is not told from {point['against']}"
    return f"is {'over' if point['t'] > 0 else 'under'} {point['against']}"


def same_finding(point: Point, ours: Permuted) -> str:
    """Tell whether our permutation test finds what the published one does.

    Returns:
        'yes' where both p are over 0.05, or both at most that and the same source is ahead; else
        'no'. '' where we have none, or of so few folds that p can't be 0.05.
    """
    if np.isnan(ours.p) or ours.least > LEVEL:
        return ""
    found = [
        0.0 if p > LEVEL else float(np.sign(t)) for t, p in ((point["t"], point["p"]), ours[:2])
    ]
    return "yes" if found[0] == found[1] else "no"


def inside(told: Sequence[tuple[Interval, float, float]]) -> str:
    """Tell whether published means lie in our intervals.

    Args:
        told: ours, the mean, and how far that may be off.

    Returns:
        'yes' if all do, 'no' if one doesn't; '' where one of ours has no interval.
    """
    if any(np.isnan(ours.low) for ours, _, _ in told):
        return ""
    all_in = all(
        ours.low - accuracy - 1e-9 <= mean <= ours.high + accuracy + 1e-9
        for ours, mean, accuracy in told
    )
    return "yes" if all_in else "no"
