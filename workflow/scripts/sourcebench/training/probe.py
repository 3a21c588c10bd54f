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
from sourcebench.training.ridge import FOLDS, Integers, ridge

PROBED = ("clean", "artifact")
"""The test sets whose images are probed: all without the artifact, and all with it."""

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

    It is a ridge regression of ±1 with an intercept, trained on four of five folds. All images of a
    patient, with the artifact or without, are in the same. Each training part takes the penalty
    that predicts best the patients it is fitted without (`Fit.press`). A score is the prediction
    less its mean over the training part: folds whose training parts hold different shares of the
    artifact can thus be ranked together.

    Features have mean 0 and standard deviation 1 over all images that are probed: that tells
    nothing of who has the artifact, and folds share their Gram matrix.

    Args:
        features: N×D, float, on any device.
        artifact: N: who has it.
        patients: N ids.
        seed: of the folds, which depend on the patients' ids and on nothing else.

    Returns:
        N, float32, positive where the artifact is seen; 0 where no feature varies. All are NaN with
        fewer than five patients, where a training part has the artifact in all images or in none,
        and where features are not finite.
    """
    scores = np.full(len(artifact), np.nan, np.float32)
    fold = folds(patients, seed)
    several = all(len(np.unique(artifact[fold != each])) == 2 for each in range(FOLDS))
    if len(set(patients)) < FOLDS or not several:
        return scores
    large = len(scores) > LARGE
    # Apple's card knows no float64.
    place = features.device if large and features.is_cuda else torch.device("cpu")
    order, count = _together(patients)
    with _threads(torch.get_num_threads() if large else 1):
        values = _standardised(features.to(place)[torch.from_numpy(order).to(place)])
        if values is None:
            return scores
        signs = torch.from_numpy(2.0 * artifact[order] - 1).to(place)
        weights = ridge(values, signs, fold[order], count)
        for each in range(FOLDS):
            held = torch.from_numpy(fold[order] == each).to(place)
            predictions = (values[held] - values[~held].mean(0)) @ weights[each]
            scores[order[fold[order] == each]] = predictions.float().cpu().numpy()
    return scores


def folds(patients: Sequence[str], seed: int) -> Integers:
    """Return the fold of each image (N, in [0, 5)), drawn by patient.

    Args:
        patients: N ids.
        seed: of the draw, which the order and the number of a patient's images leave as it is.
    """
    number = numbers(pd.Series(patients, dtype="str"))
    order = generator(seed, "probe").permutation(len(set(patients)))
    return order[number] % FOLDS


def _together(patients: Sequence[str]) -> tuple[Integers, Integers]:
    """Return an order of the images that puts those of a patient side by side.

    Args:
        patients: N ids.

    Returns:
        N places: patients with few images first. And how many its patient has, of each image in
        that order.
    """
    number = numbers(pd.Series(patients, dtype="str"))
    count = np.bincount(number)[number]
    order = np.lexsort((number, count))
    return order, count[order]


def _standardised(features: Tensor) -> Tensor | None:
    """Return features with mean 0 and standard deviation 1, in float64, or 0 where they are alike.

    None is returned where one is not finite.
    """
    least, most = features.amin(0), features.amax(0)
    if not bool((least.isfinite() & most.isfinite()).all()):
        return None
    values = features.double()
    values = values - values.mean(0)
    deviation = values.square().mean(0).sqrt()
    return values.mul_(torch.where(most > least, 1 / deviation, 0))


@contextmanager
def _threads(count: int) -> Iterator[None]:
    """Compute on so many cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)
