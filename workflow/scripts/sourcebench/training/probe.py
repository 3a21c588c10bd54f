"""A linear probe: can the artifact be read from a network's features?

It says what a network knows of an artifact, whether its head uses that or not (Alain & Bengio 2017,
"Understanding intermediate layers using linear classifier probes").
"""

from collections.abc import Sequence

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
"""Of the ridge regression, in mean eigenvalues of the training part's Gram matrix."""

LARGE = 1000
"""Up to so many images the processor is faster than a card, which has to be made ready first."""


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
    on_card = len(scores) > LARGE and features.device.type == "cuda"
    values = features.to("cuda" if on_card else "cpu").double()
    signs = torch.from_numpy(2.0 * artifact - 1).to(values.device)
    for each in range(FOLDS):
        held = torch.from_numpy(fold == each).to(values.device)
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
    train, held = (train - mean) / deviation, (held - mean) / deviation
    return held @ (train.T @ ridge(train @ train.T, signs - signs.mean()))


def ridge(gram: Tensor, targets: Tensor) -> Tensor:
    """Return the dual weights a of the ridge regression that predicts best what it leaves out.

    With K the Gram matrix and λ the penalty, a = G y with G = (K + λI)⁻¹ (Saunders et al. 1998).
    The error of each image, were it left out, is λaᵢ / (λGᵢᵢ − 1/n), and the sum of their squares
    (PRESS, Allen 1974) is least at the penalty that is taken. 1/n is the intercept's share: as the
    features are centred, (I − 11ᵀ/n) − KG = λG − 11ᵀ/n takes targets to errors.

    Args:
        gram: n×n, float64, of centred features.
        targets: n, float64, centred.

    Returns:
        n, float64; a prediction is the features' product with Σ aᵢ × features of image i.
    """
    count, scale = len(gram), gram.trace() / len(gram)
    best, least = torch.zeros_like(targets), float("inf")
    for share in PENALTIES:
        penalty = share * scale
        inverse = torch.cholesky_inverse(
            torch.linalg.cholesky(gram + torch.diag(penalty.expand(count)))
        )
        weights = inverse @ targets
        errors = penalty * weights / (penalty * inverse.diagonal() - 1 / count)
        if (press := float(errors.square().sum())) < least:
            best, least = weights, press
    return best
