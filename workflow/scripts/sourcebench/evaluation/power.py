"""What a study could have found: the differences that its tests are large enough for."""

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.optimize import brentq
from scipy.special import logit

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.intervals import Limits


def detectable(
    se: npt.ArrayLike,
    freedom: npt.ArrayLike,
    level: float = 0.05,
    power: float = 0.8,
    limits: Limits | None = None,
) -> npt.NDArray[np.float64]:
    """Return the smallest true difference that a two-sided t-test finds with this power.

    Where the true difference is d, t has the noncentral t-distribution of noncentrality d / se
    (Cohen 1988, section 2.2), so it is exact for a normal difference: with few degrees of freedom
    the normal approximation, 2.8 standard errors, promises too much. Found counts either sign.

    Where the test is made on the scale of the logit between two limits, as `Estimate.p` does, that
    bends: the difference is the one that is there so many standard errors from 0. To the second
    order, which leaves the power between 0.75 and 0.87.

    Args:
        se: standard errors of the difference.
        freedom: their degrees of freedom, which need not be whole; of the shape of `se`, or of one
            that broadcasts with it.
        level: p at and under which a difference counts as found, in (0, 1).
        power: the chance to find it, in (level, 1).
        limits: between which a difference lies, as far below 0 as above.

    Returns:
        Differences in the unit of `se`, float64; NaN where `se` is, without freedom, and where no
        difference between the limits is found so often.

    Raises:
        SourceBenchError: level and power are not 0 < level < power < 1.
    """
    if not 0 < level < power < 1:
        raise SourceBenchError(
            f"A power lies above its level, both between 0 and 1, and they are {power:g} and "
            f"{level:g}."
        )
    se, freedom = np.broadcast_arrays(np.asarray(se, np.float64), np.asarray(freedom, np.float64))
    distinct, where = np.unique(freedom, return_inverse=True)
    shifts = np.array([_noncentrality(each, level, power) for each in distinct])
    straight = np.asarray(se * shifts[where].reshape(se.shape), np.float64)
    if limits is None:
        return straight
    least, most = limits
    share = np.linspace(0.5, 1, 2001)[:-1]
    bent = (most - least) * logit(share) * share * (1 - share)
    rising = slice(int(bent.argmax()) + 1)
    found = np.interp(straight, bent[rising], share[rising], right=np.nan)
    return np.asarray(least + (most - least) * found, np.float64)


def _noncentrality(freedom: float, level: float, power: float) -> float:
    if not freedom > 0:
        return np.nan
    bound = stats.t.isf(level / 2, freedom)

    def lacking(shift: float) -> float:
        # SciPy gives NaN for a tail that is too small to count.
        other_sign = np.nan_to_num(stats.nct.cdf(-bound, freedom, shift))
        return float(stats.nct.sf(bound, freedom, shift) + other_sign - power)

    far = bound
    while lacking(far) < 0:
        far *= 2
    return float(brentq(lacking, 0, far, xtol=1e-10))
