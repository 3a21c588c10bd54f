"""Ridge regression of five folds at once, its penalty chosen by leaving out patients."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Integers = npt.NDArray[np.intp]

FOLDS = 5
PENALTIES = (1e-4, 1e-3, 1e-2, 1e-1, 1.0, 10.0)
"""Of the ridge regression, in mean eigenvalues of the Gram matrix, XXᵀ, of all probed images."""

WIDE = 1.5
"""Up to so many images per feature it is cheaper to invert a matrix of the images, once for all
folds, than one of the features for each."""


@dataclass(frozen=True)
class Fit:
    """A ridge regression of the n images outside one fold, under one penalty.

    With Q the n×n matrix that makes errors of targets, its blocks are those of single patients.

    Attributes:
        fold: which.
        weights: D, float64.
        errors: by how many images patients have, g patients with m: targets less predictions (g×m).
        blocks: likewise, of Q (g×m×m).
    """

    fold: int
    weights: Tensor
    errors: list[Tensor]
    blocks: list[Tensor]

    def press(self) -> float:
        """Return the sum of the squared errors for patients that a fit is made without (PRESS).

        With P a patient's images, the errors of the fit without them are Q_PP⁻¹ e_P: exactly those
        of all else being fitted anew, intercept included (Allen 1974 for one image, Cook &
        Weisberg 1982 for several). What features are divided by, and the penalty, stay.
        """
        missed = torch.zeros((), dtype=torch.float64, device=self.weights.device)
        for errors, blocks in zip(self.errors, self.blocks, strict=True):
            missed += torch.linalg.solve_ex(blocks, errors)[0].square().sum()
        return float(missed)


def ridge(features: Tensor, targets: Tensor, fold: Integers, count: Integers) -> Tensor:
    """Return the weights of the ridge regression without each fold, under its best penalty.

    Args:
        features: N×D, float64, each of mean 0 and standard deviation 1 (or 0); the images of a
            patient side by side, patients with few images first.
        targets: N, float64.
        fold: N, each in [0, 5), the same for all images of a patient.
        count: N: how many images the patient has.

    Returns:
        5×D, float64.
    """
    size = features.shape[1]
    weights = features.new_zeros(FOLDS, size)
    if not bool(features.any()):
        return weights
    least = [float("inf")] * FOLDS
    fits = _fit_images if len(features) <= WIDE * size else _fit_features
    for fit in fits(features, targets, fold, count):
        if (missed := fit.press()) < least[fit.fold]:
            least[fit.fold], weights[fit.fold] = missed, fit.weights
    return weights


def _fit_images(
    features: Tensor, targets: Tensor, fold: Integers, count: Integers
) -> Iterator[Fit]:
    """Yield the fits of every fold and penalty, from one N×N matrix for each penalty.

    With X the features, λ the penalty and G = (XXᵀ + λI)⁻¹ (Saunders et al. 1998), Q of all images
    is λ(G − G11ᵀG / 1ᵀG1). Without a fold f it is Q_tt − Q_tf Q_ff⁻¹ Q_ft, for the others t. The
    weights are Xᵀe / λ.
    """
    gram = features @ features.T
    diagonal = gram.diagonal().clone()
    places = torch.arange(len(fold), device=features.device)
    for share in PENALTIES:
        penalty = share * float(diagonal.mean())
        gram.diagonal().copy_(diagonal + penalty)
        free = torch.cholesky_inverse(torch.linalg.cholesky(gram))
        sums = free.sum(1)
        free.addr_(sums, sums, beta=penalty, alpha=-penalty / float(sums.sum()))
        errors = free @ targets
        for each in range(FOLDS):
            sizes = count[fold != each]
            held = torch.from_numpy(fold == each).to(features.device)
            across = free[held]
            factor = torch.linalg.cholesky(across[:, held])
            half = torch.linalg.solve_triangular(factor, across[:, ~held], upper=False).T
            moved = torch.linalg.solve_triangular(factor, errors[held, None], upper=False)[:, 0]
            left = torch.zeros_like(errors)
            left[~held] = errors[~held] - half @ moved
            parts = zip(_by_patient(places[~held], sizes), _by_patient(half, sizes), strict=True)
            blocks = [free[at[:, :, None], at[:, None, :]] - row @ row.mT for at, row in parts]
            weights = left @ features / penalty
            yield Fit(each, weights, _by_patient(left[~held], sizes), blocks)


def _fit_features(
    features: Tensor, targets: Tensor, fold: Integers, count: Integers
) -> Iterator[Fit]:
    """Yield the fits of every fold and penalty, from one D×D matrix for each.

    With X the features of a training part, less their mean, and L the Cholesky factor of XᵀX + λI,
    Q is I − 11ᵀ/n − AAᵀ with A = XL⁻ᵀ. Most of the time goes into A, and nothing hangs on it but
    which penalty is taken: it is float32.
    """
    whole = features.T @ features
    for each in range(FOLDS):
        sizes = count[fold != each]
        held = torch.from_numpy(fold == each).to(features.device)
        train, out, signs = features[~held], features[held], targets[~held]
        centre = train.mean(0)
        gram = whole - out.T @ out - len(train) * centre[:, None] * centre
        train, signs = train - centre, signs - signs.mean()
        moment, rough = (signs @ train)[:, None], train.float()
        diagonal = gram.diagonal().clone()
        for share in PENALTIES:
            gram.diagonal().copy_(diagonal + share * whole.trace() / len(features))
            factor = torch.linalg.cholesky(gram)
            first = torch.linalg.solve_triangular(factor, moment, upper=False)
            weights = torch.linalg.solve_triangular(factor.T, first, upper=True)[:, 0]
            # A third faster than as Cholesky left it, column by column.
            lower = factor.to(torch.float32, memory_format=torch.contiguous_format)
            half = torch.linalg.solve_triangular(lower, rough.T, upper=False).T
            blocks = [_own(row, len(train)) for row in _by_patient(half, sizes)]
            yield Fit(each, weights, _by_patient(signs - train @ weights, sizes), blocks)


def _own(rows: Tensor, count: int) -> Tensor:
    """Return I − 11ᵀ/n − AAᵀ of each patient's rows of A (g×m×k): g×m×m, float64."""
    identity = torch.eye(rows.shape[1], dtype=torch.float64, device=rows.device)
    return identity - 1 / count - (rows @ rows.mT).double()


def _by_patient(rows: Tensor, count: Integers) -> list[Tensor]:
    """Return rows (n×…) by how many a patient has: g×m×… of the g patients with m."""
    sizes, lengths = np.unique(count, return_counts=True)
    parts = torch.split(rows, lengths.tolist())
    return [
        part.view(-1, int(size), *part.shape[1:]) for part, size in zip(parts, sizes, strict=True)
    ]
