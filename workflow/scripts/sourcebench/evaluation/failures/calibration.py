"""How far a confidence can be believed as the probability that the answer is right."""

import numpy as np
from scipy.sparse import csr_array

from sourcebench.evaluation.failures import FAILURE_METRICS, OF_PROBABILITIES
from sourcebench.evaluation.failures.answers import Kept
from sourcebench.evaluation.resampling import Floats

BINS = 20
"""As many as Jaeger et al. (ICLR 2023) take; `metrics.calibration` has fifteen of probabilities."""


@FAILURE_METRICS.register("ece")
def ece(kept: Kept) -> Floats:
    """Return the expected calibration error of the score (B), in [0, 1]; lower is better.

    Twenty bins of equal width over [0, 1], each closed below; per bin the distance between the mean
    confidence and the share of right answers, averaged by the bins' sizes (Naeini et al. 2015).
    NaN of a score that is no probability, see `Answers`.
    """
    answers = kept.answers
    if not answers.probability:
        return np.full(kept.weights.shape[1], np.nan)
    trust = np.clip(answers.confidences, 0, 1)
    bins = np.minimum((trust * BINS).astype(np.intp), BINS - 1)
    places = bins, np.arange(len(bins))
    excess = csr_array((trust - ~answers.failures, places), shape=(BINS, len(bins)))
    with np.errstate(invalid="ignore"):
        error: Floats = np.abs(excess @ kept.weights).sum(0) / kept.images
    return error


OF_PROBABILITIES.add("ece")
