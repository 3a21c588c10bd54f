"""What single thresholds are worth: none, and one that keeps most of the right answers."""

import numpy as np

from sourcebench.evaluation.failures import FAILURE_METRICS, OF_BOTH
from sourcebench.evaluation.failures.answers import ROUNDING, Kept
from sourcebench.evaluation.resampling import Floats

TRUE_POSITIVES = 0.95


@FAILURE_METRICS.register("accuracy")
def accuracy(kept: Kept) -> Floats:
    """Return the share of right answers (B), in [0, 1], nothing rejected."""
    with np.errstate(invalid="ignore"):
        share: Floats = 1 - kept.failures / kept.images
    return share


@FAILURE_METRICS.register("fpr_at_95_tpr")
def fpr_at_95_tpr(kept: Kept) -> Floats:
    """Return the share of failures that are kept where 95 % of the right answers are (B).

    In [0, 1]; lower is better. Positive is a right answer, so that a false positive is a failure
    that nobody hears of: a silent one. The threshold is the highest one there is that keeps at
    least 95 %. NaN without a failure, or with nothing else.
    """
    right = kept.accepted - kept.failed
    wanted = np.ceil(TRUE_POSITIVES * right[-1].astype(np.float64) - ROUNDING)
    threshold = (right < wanted.astype(np.float32)).sum(0)
    false = kept.failed[threshold, np.arange(len(threshold))]
    with np.errstate(invalid="ignore"):
        share = false / kept.failures
    return np.where(wanted > 0, share, np.nan)


OF_BOTH.add("fpr_at_95_tpr")
