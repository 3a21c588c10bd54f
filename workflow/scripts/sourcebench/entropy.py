"""How far probabilities are from being all alike."""

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


def negentropy(probabilities: Floats) -> Floats:
    """Return ln K − H of N×K probabilities (N): 0 where all are alike, ln K where one is sure.

    That is Σ (1 + x) ln(1 + x) − x over K, where x = K p − 1, whose terms near 0 keep their digits.
    Of two classes the smaller p is taken as 1 less the larger, so that it ranks exactly as the
    maximum does, ties and all.
    """
    classes = probabilities.shape[1]
    if classes == 2:
        top = probabilities.max(1)
        probabilities = np.stack([top, 1 - top], 1)
    excess = classes * probabilities - 1
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = np.where(excess > -1, (1 + excess) * np.log1p(excess), 0.0) - excess
    found: Floats = terms.mean(1)
    return found
