"""The Mahalanobis distance to the nearest class."""

from __future__ import annotations

from math import nan
from typing import TYPE_CHECKING

import numpy as np

from sourcebench.training.measures.base import (
    MEASURES,
    Columns,
    Instrument,
    Measure,
    Subject,
    wide,
)

if TYPE_CHECKING:
    from torch import Tensor


FLOOR = 1e-9
"""Of the mean variance: what the least of any direction is, should the shrinkage leave one at 0."""


class Mahalanobis(Measure):
    """Minus the squared distance to the nearest class (Lee et al., NeurIPS 2018, section 2.1).

    Classes are normal distributions of the features of the training images, with means of their own
    and one covariance, that of images about the mean of their class. There are often fewer images
    than features, and then it has no inverse: it is shrunk towards a multiple of the identity, by
    as much as Ledoit & Wolf (J. Multivariate Analysis 88, 2004) find best from the images, which is
    next to nothing where there are many. (FD-Shifts takes the covariance about the mean of all
    classes, its pseudo-inverse, and the distance to the class that is called.)
    """

    columns = ("mahalanobis",)

    def of(self, subject: Subject) -> Instrument:
        """Return what measures it, fitted to what the network was trained on."""
        import torch
        from sklearn.covariance import ledoit_wolf

        learned = subject.learned()
        features = wide(learned.features)
        labels = learned.labels.to(features.device)
        present, number = torch.unique(labels, return_inverse=True)
        means = torch.stack([features[labels == each].mean(0) for each in present])
        centred = (features - means[number]).cpu().numpy()
        if not np.isfinite(centred).all():
            return lambda new, _: {"mahalanobis": wide(new).new_full((len(new),), nan)}
        spread, _ = ledoit_wolf(centred, assume_centered=True)
        floor = FLOOR * np.trace(spread) / len(spread) or 1.0  # 1 where no feature varies
        root = torch.linalg.cholesky(torch.from_numpy(spread + floor * np.eye(len(spread))))
        root = root.to(features.device)
        centres = _whitened(means, root)

        def measured(features: Tensor, _: Tensor) -> Columns:
            places = _whitened(wide(features), root)
            exact = "donot_use_mm_for_euclid_dist"
            distances = torch.cdist(places, centres, compute_mode=exact)
            return {"mahalanobis": -distances.amin(1).square()}

        return measured


def _whitened(values: Tensor, root: Tensor) -> Tensor:
    """Return N×F values in coordinates in which a covariance, root × rootᵀ, is the identity."""
    import torch

    whitened: Tensor = torch.linalg.solve_triangular(root, values.T, upper=False).T
    return whitened


MEASURES.register("mahalanobis")(Mahalanobis())
