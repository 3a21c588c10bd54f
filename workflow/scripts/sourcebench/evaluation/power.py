"""What a study could have found: the differences that its tests are large enough for."""

import numpy as np
import numpy.typing as npt
from scipy import stats
from scipy.optimize import brentq

from sourcebench.errors import SourceBenchError


def detectable(
    se: npt.ArrayLike, freedom: npt.ArrayLike, level: float = 0.05, power: float = 0.8
) -> npt.NDArray[np.float64]:
    """Return the smallest true difference that a two-sided t-test finds with this power.

    Where the true difference is d, t has the noncentral t-distribution of noncentrality d / se
    (Cohen 1988, section 2.2), so it is exact for a normal difference: with few degrees of freedom
    the normal approximation, 2.8 standard errors, promises too much. Found counts either sign.

    Args:
        se: standard errors of the difference.
        freedom: their degrees of freedom, which need not be whole; of the shape of `se`, or of one
            that broadcasts with it.
        level: p at and under which a difference counts as found, in (0, 1).
        power: the chance to find it, in (level, 1).

    Returns:
        Differences in the unit of `se`, float64; NaN where `se` is, or without freedom.

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
    return np.asarray(se * shifts[where].reshape(se.shape), np.float64)


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
