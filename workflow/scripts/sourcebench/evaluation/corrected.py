"""A t-test over folds that allows for the training images which they share."""

import numpy as np

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.comparisons import Comparison, student_test
from sourcebench.evaluation.replicates import Values, defined


def corrected_t(differences: Values, n_train: float, n_val: float) -> Comparison:
    """Test whether the mean of paired differences over folds is 0: Nadeau & Bengio (2003).

    The corrected resampled t-test: t = mean / sqrt((1/k + n_val/n_train) · s²) at k − 1 degrees of
    freedom, s² being the sample variance of k folds. Folds share training images, so their results
    go together, and s²/k alone is too small. The correction takes the correlation of two folds to
    be n_val / (n_train + n_val), the share that a fold holds out; no estimate of it is without bias
    (Bengio & Grandvalet 2004).

    Nadeau & Bengio test every fold on what it holds out. Here all folds are tested on the same
    images, and what a fold holds out is for validation. The overlap of the training sets is the
    same, and is what the correction is about. That the test images are shared is not corrected:
    s² does not hold how they happened to be chosen. So p says whether the difference would last if
    other images were drawn for training, on this test set; for other patients to be tested on see
    `delong`.

    Args:
        differences: one per fold, of order 1 (metrics); NaN (undefined there) is left out.
        n_train: images (or patients) that a fold trains on.
        n_val: those that it holds out.

    Returns:
        t, positive where the mean is, and p in [0, 1]; NaN with fewer than two folds. Where all
        folds agree see `student_test`.

    Raises:
        SourceBenchError: there are no training images, or fewer than none held out.
    """
    if not (n_train > 0 and n_val >= 0):
        raise SourceBenchError(
            "The corrected t-test needs images to train on and none or more held out, and was "
            f"told {n_train:g} and {n_val:g}."
        )
    sample = defined(differences)
    if len(sample) < 2:
        return Comparison(np.nan, np.nan)
    error = np.sqrt((1 / len(sample) + n_val / n_train) * sample.var(ddof=1))
    return student_test(float(sample.mean()), float(error), len(sample) - 1)
