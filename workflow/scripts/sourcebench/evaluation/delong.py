"""How sure the AUROC of one run is of other patients: DeLong's variance, by patient.

An AUROC is a mean over pairs of a positive and a negative image. DeLong et al. (1988) get its
variance from the placement of every image: the share of the other class that it is on the right
side of. Several images of a patient are not so many observations, so their parts are summed, as
Obuchowski (1997) does: a patient may have several images, of either class.
"""

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from scipy.stats import rankdata

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.intervals import Interval, bounds_with
from sourcebench.evaluation.metrics import Floats


class Placements(NamedTuple):
    """The share of the other class that each image is on the right side of (float64, in [0, 1])."""

    positives: Floats
    """V10: of the negatives those below it; one per positive, in the order of the images."""
    negatives: Floats
    """V01: of the positives those above it; one per negative."""


class Influence(NamedTuple):
    """An AUROC and what each patient does to it; NaN where a class is missing."""

    auroc: float
    phi: Floats
    """P values, float64, in the order of `np.unique(patients)`; their sum is 0."""


class _Patients(NamedTuple):
    """How many patients have a positive image, how many a negative one, and how many there are."""

    positive: int
    negative: int
    all: int


def placements(labels: npt.ArrayLike, scores: npt.ArrayLike) -> Placements:
    """Return the placement of each image in the other class; a tie counts one half.

    The mean of either half is the AUROC. By mid-ranks, in O(N log N) (Sun & Xu 2014).

    Args:
        labels: N integers, 0 (negative) or 1 (positive).
        scores: N finite floats, higher for what looks positive.

    Returns:
        V10 and V01; all NaN where the other class is missing.

    Raises:
        SourceBenchError: a label is neither 0 nor 1, a score is not finite, or there are not as
            many of the one as of the other.
    """
    labels, scores = np.asarray(labels), np.asarray(scores, np.float64)
    if labels.shape != scores.shape or labels.ndim != 1:
        raise SourceBenchError(
            f"An AUROC needs one score per label, and there are {scores.size} and {labels.size}."
        )
    if not np.isin(labels, (0, 1)).all():
        raise SourceBenchError("A label is neither 0 nor 1: placements are those of two classes.")
    if not np.isfinite(scores).all():
        raise SourceBenchError("A score is not finite: it can't be ranked among the others.")
    positive = labels == 1
    above, below = scores[positive], scores[~positive]
    if not (len(above) and len(below)):
        return Placements(np.full(len(above), np.nan), np.full(len(below), np.nan))
    ranks = rankdata(scores)
    return Placements(
        (ranks[positive] - rankdata(above)) / len(below),
        1 - (ranks[~positive] - rankdata(below)) / len(above),
    )


def influence(labels: npt.ArrayLike, scores: npt.ArrayLike, patients: npt.ArrayLike) -> Influence:
    """Return the AUROC and the influence of each patient on it.

    With m positives, n negatives and the AUROC θ, a patient's influence is the sum of (V10 − θ) / m
    over its positives and of (V01 − θ) / n over its negatives. The variance of θ is
    P / (P − 1) · Σ phi² (`standard_error`). Influences are linear: the mean of those of several
    runs on the same images belongs to the mean of their AUROCs, the difference to the difference.

    Of Obuchowski's (1997) variance it differs in its factors alone: she has the number of patients
    with positives over one less before the positives' sum of squares, likewise for the negatives,
    and P / (P − 1) before the mixed sum only. With one image per patient hers is DeLong's, with
    m / (m − 1) and n / (n − 1): the one here is smaller, by the share 1/m or 1/n at most.

    Args:
        labels: N integers, 0 or 1.
        scores: N finite floats.
        patients: N names or numbers of patients, who may have images of either class.

    Returns:
        θ and phi; NaN where a class is missing.

    Raises:
        SourceBenchError: see `placements`; or there is not one patient per image.
    """
    parts = placements(labels, scores)
    positive = np.asarray(labels) == 1
    names, owner = np.unique(np.asarray(patients), return_inverse=True)
    if owner.shape != positive.shape:
        raise SourceBenchError(
            f"There are {owner.size} patients for {positive.size} images: name one per image."
        )
    if positive.all() or not positive.any():
        return Influence(np.nan, np.full(len(names), np.nan))
    auroc = parts.positives.mean()
    each = np.empty(len(positive))
    each[positive] = (parts.positives - auroc) / len(parts.positives)
    each[~positive] = (parts.negatives - auroc) / len(parts.negatives)
    return Influence(float(auroc), np.bincount(owner, each, len(names)).astype(np.float64))


def standard_error(phi: Floats) -> float:
    """Return the square root of P / (P − 1) · Σ phi²; NaN with fewer than two patients."""
    return float(np.sqrt((phi**2).sum() * len(phi) / (len(phi) - 1))) if len(phi) > 1 else np.nan


def auroc_interval(
    labels: npt.ArrayLike, scores: npt.ArrayLike, patients: npt.ArrayLike, level: float = 0.95
) -> Interval:
    """Return the AUROC of one run with its confidence interval over patients.

    On the logit scale (`bounds_with`), with Student's quantile at P − 1 degrees of freedom. It says
    how the AUROC of this very network would turn out on other patients. In simulations (binormal,
    40 positives, 60 negatives, patients of one to three images) it holds the true AUROC 94 to 96
    times in a hundred up to an AUROC of 0.85, and 93 times at 0.95; with 8 positives 92 to 97
    times.

    An AUROC of 1 or 0 varies in no sum of squares, and is not certain for all that. A true AUROC of
    θ shows none but right pairs with a chance of at most θ^k, k being the number of pairs of a
    positive and a negative that share no patient, since such pairs are independent; some
    distributions reach it (all images of the larger class alike). So the bound is (α/2)^(1/k), that
    of Clopper & Pearson (1934) for k of k, or 1 less it: 0.63 for eight positives, 1 − 3.7/k for
    many. It is for any distribution, and so wide: an AUROC just below 1 has a narrower interval,
    which rests on the normal approximation and is the less to be trusted the fewer the wrong pairs.

    Args:
        labels: N integers, 0 or 1.
        scores: N finite floats.
        patients: N names or numbers of patients.
        level: of confidence, in (0, 1); α is 1 less it.

    Returns:
        The AUROC (NaN where a class is missing) and the bounds. NaN bounds where fewer than two
        patients have a class, of which nothing says how it varies; of a perfect AUROC, where all
        images are one patient's. Where all scores are equal both bounds are 0.5.

    Raises:
        SourceBenchError: see `influence`.
    """
    auroc, phi = influence(labels, scores, patients)
    there = _patients(labels, patients)
    if auroc in (0, 1) and there.all > 1:
        pairs = min(there.positive, there.negative, there.all // 2)
        far = ((1 - level) / 2) ** (1 / pairs)
        return Interval(auroc, far, 1.0) if auroc else Interval(auroc, 0.0, 1 - far)
    if min(there) < 2:
        return Interval(auroc, np.nan, np.nan)
    low, high = bounds_with(auroc, standard_error(phi), len(phi) - 1, level)
    return Interval(auroc, float(low), float(high))


def _patients(labels: npt.ArrayLike, patients: npt.ArrayLike) -> _Patients:
    labels, patients = np.asarray(labels), np.asarray(patients)
    positive, negative = (len(np.unique(patients[labels == label])) for label in (1, 0))
    return _Patients(positive, negative, len(np.unique(patients)))
