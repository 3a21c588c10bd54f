"""A linear probe: can the artifact be read from a network's features?

It says what a network knows of an artifact, whether its head uses that or not (Alain & Bengio 2017,
"Understanding intermediate layers using linear classifier probes").
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import numpy as np
import numpy.typing as npt
import pandas as pd
import torch
from torch import Tensor

from sourcebench.patients import numbers
from sourcebench.seeds import generator

PROBED = ("clean", "artifact")
"""The test sets whose images are probed: all without the artifact, and all with it."""

FOLDS = 5
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Of the ridge regression, in mean eigenvalues of the training part's Gram matrix, XXᵀ."""

LARGE = 1000
"""Up to so many images one core is faster than several, that wait for each other, or than a card,
which has to be made ready first."""


def probed(tests: pd.DataFrame) -> pd.Series:
    """Return which rows of the test sets are probed: those of confounders that have `PROBED`.

    Args:
        tests: `confounder`, `test_set`.

    Returns:
        A bool for each row.
    """
    inside = tests["test_set"].isin(PROBED)
    sets = tests[inside].groupby("confounder")["test_set"].nunique()
    return inside & (tests["confounder"].map(sets) == len(PROBED))


def probe(tests: pd.DataFrame, features: Tensor, seed: int) -> pd.Series:
    """Return the scores of the rows that are probed, and NaN for the others.

    Args:
        tests: `confounder`, `test_set`, `patient_id`, `artifact` (bool), and `place`, the row of
            the image's features, where it is probed.
        features: N×D, float.
        seed: the study's, so that all runs of a task have the same folds.

    Returns:
        float32, in the order of the rows.
    """
    scores = pd.Series(np.nan, tests.index, dtype="float32")
    for _, rows in tests[probed(tests)].groupby("confounder"):
        scores[rows.index] = probe_scores(
            features[torch.tensor(rows["place"].to_numpy())],
            rows["artifact"].to_numpy(bool),
            rows["patient_id"].astype("str").tolist(),
            seed,
        )
    return scores


def probe_scores(
    features: Tensor, artifact: npt.NDArray[np.bool_], patients: Sequence[str], seed: int
) -> npt.NDArray[np.float32]:
    """Return how surely a linear classifier sees the artifact in features it was not trained on.

    It is a ridge regression of ±1 with an intercept, on features that have mean 0 and standard
    deviation 1 in the training part. All images of a patient, with the artifact or without, are in
    the same of five folds. A score is the prediction less its mean over the training part: folds
    whose training parts hold different shares of the artifact can thus be ranked together.

    Args:
        features: N×D, float, on any device.
        artifact: N: who has it.
        patients: N ids.
        seed: of the folds, which depend on the patients' ids and on nothing else.

    Returns:
        N, float32, positive where the artifact is seen. All are NaN with fewer than five patients,
        where a training part has the artifact in all images or in none, and where features are not
        finite.
    """
    scores = np.full(len(artifact), np.nan, np.float32)
    fold = folds(patients, seed)
    several = all(len(np.unique(artifact[fold != each])) == 2 for each in range(FOLDS))
    if len(set(patients)) < FOLDS or not several or not bool(features.isfinite().all()):
        return scores
    large = len(scores) > LARGE
    # Apple's card knows no float64.
    place = features.device if large and features.is_cuda else torch.device("cpu")
    values = features.to(place).double()
    signs = torch.from_numpy(2.0 * artifact - 1).to(place)
    with _threads(torch.get_num_threads() if large else 1):
        for each in range(FOLDS):
            held = torch.from_numpy(fold == each).to(place)
            predictions = _predictions(values[~held], signs[~held], values[held])
            scores[fold == each] = predictions.float().cpu().numpy()
    return scores


def folds(patients: Sequence[str], seed: int) -> npt.NDArray[np.intp]:
    """Return the fold of each image (N, in [0, 5)), drawn by patient.

    Args:
        patients: N ids.
        seed: of the draw, which the order and the number of a patient's images leave as it is.
    """
    number = numbers(pd.Series(patients, dtype="str"))
    order = generator(seed, "probe").permutation(len(set(patients)))
    return order[number] % FOLDS


def _predictions(train: Tensor, signs: Tensor, held: Tensor) -> Tensor:
    """Return the centred predictions of the images that are held out.

    Args:
        train: n×D, float64.
        signs: n, −1 or 1.
        held: m×D, float64.

    Returns:
        m, float64; 0 if no feature varies in the training part.
    """
    varies = train.amax(0) > train.amin(0)
    train, held = train[:, varies], held[:, varies]
    if not train.shape[1]:
        return held.new_zeros(len(held))
    mean, deviation = train.mean(0), train.std(0, correction=0)
    return (held - mean) / deviation @ ridge((train - mean) / deviation, signs - signs.mean())


def ridge(features: Tensor, targets: Tensor) -> Tensor:
    """Return the weights of the ridge regression that predicts best what it leaves out.

    With X the features, K = XXᵀ and λ the penalty, the weights are (XᵀX + λI)⁻¹Xᵀy, or as well
    XᵀGy with G = (K + λI)⁻¹ (Saunders et al. 1998): the smaller matrix is factorised. If an image
    is left out its error is e / (1 − 1/n − h), with e its error otherwise, 1/n the intercept's
    share (for features are centred) and h its leverage, xᵀ(XᵀX + λI)⁻¹x = 1 − λG of that image.
    The penalty that is taken has the least sum of their squares (PRESS, Allen 1974).

    Args:
        features: n×D, float64, each of mean 0.
        targets: n, float64, of mean 0.

    Returns:
        D, float64.
    """
    count, size = features.shape
    fit = _fit_images if count <= size else _fit_features
    gram = features @ features.T if count <= size else features.T @ features
    best, least = features.new_zeros(size), float("inf")
    for share in PENALTIES:
        penalty = share * gram.trace() / count
        factor = torch.linalg.cholesky(gram + torch.diag(penalty.expand(len(gram))))
        weights, leverage = fit(features, targets, factor, penalty)
        errors = (targets - features @ weights) / (1 - 1 / count - leverage)
        if (press := float(errors.square().sum())) < least:
            best, least = weights, press
    return best


def _fit_images(
    features: Tensor, targets: Tensor, factor: Tensor, penalty: Tensor
) -> tuple[Tensor, Tensor]:
    """Return weights (D) and leverages (n) from the Cholesky factor of K + λI."""
    inverse = torch.cholesky_inverse(factor)
    return features.T @ (inverse @ targets), 1 - penalty * inverse.diagonal()


def _fit_features(
    features: Tensor, targets: Tensor, factor: Tensor, _: Tensor
) -> tuple[Tensor, Tensor]:
    """Return weights (D) and leverages (n) from the Cholesky factor of XᵀX + λI."""
    weights = torch.cholesky_solve((features.T @ targets)[:, None], factor)[:, 0]
    half = torch.linalg.solve_triangular(factor, features.T, upper=False)
    return weights, half.square().sum(0)


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Compute on so many cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
