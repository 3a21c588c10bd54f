"""Where images lie in a network's latent space: one embedding of all of them in three dimensions.

Principal components, then t-SNE (van der Maaten & Hinton, JMLR 2008) as Barnes and Hut sum it (van
der Maaten, JMLR 2014). Images of all test sets are embedded together: a t-SNE of each by itself
would put them into spaces of which no two compare.
"""

from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE

from sourcebench.errors import SourceBenchError
from sourcebench.seeds import generator, seed_of

Floats = npt.NDArray[np.float64]

POINT = ["image_id", "layer"]
"""What a point is: an image as it is, or with an artifact."""

COMPONENTS, DIMENSIONS = 50, 3
PERPLEXITY = 30.0
ANGLE = 0.8
"""How coarse Barnes and Hut's sums are. At 0.8 they take two thirds of the time that they take at
scikit-learn's 0.5, and the divergence from the neighbours is the same to its third digit."""

FEWEST = 10
"""Fewer points have too few neighbours for t-SNE: their principal components are shown."""

POINTS = 5_000
"""No more points are embedded, see `chosen`: they take 70 s of one core, twice as many 150."""


def chosen(points: pd.DataFrame, seed: int, most: int = POINTS) -> npt.NDArray[np.bool_]:
    """Choose images at random, each with all of its layers, until there are as many points.

    Args:
        points: N different `image_id, layer`.
        seed: the study's.
        most: points to be chosen.

    Returns:
        N, bool; all of them where there are no more than `most`.
    """
    order = generator(seed, "embedded images").permutation(points["image_id"].nunique())
    sizes = points.groupby("image_id", sort=True).size()
    within = sizes.iloc[order].cumsum() <= most
    found: npt.NDArray[np.bool_] = points["image_id"].isin(within.index[within]).to_numpy()
    return found


def embed(features: npt.NDArray[Any], seed: int) -> Floats:
    """Return points in three dimensions; near ones had like features, distances mean nothing else.

    The same features and seed give the same coordinates on one machine. The sums of several threads
    may differ in their last bits, and t-SNE carries such a difference on: jobs take one thread.

    Args:
        features: N×F, what the network's head takes.
        seed: the study's.

    Returns:
        N×3, float64: PCA to 50 dimensions, or as many as there are; t-SNE from the first three of
        them, at a perplexity of 30, or a third of N − 1 where that is less, with a learning rate
        of N / 48, at least 50 (Belkina et al., Nature Communications 2019), and 1,000 iterations.
        Fewer than 10 points lie at their first three components.

    Raises:
        SourceBenchError: a feature is infinite or not a number.
    """
    features = np.asarray(features, np.float64)
    if not np.isfinite(features).all():
        raise SourceBenchError(
            "The features of an explored run are not all finite, so that its training diverged; "
            "train it with a smaller learning rate."
        )
    reduced = components(features)
    count = len(reduced)
    if count < FEWEST:
        return reduced[:, :DIMENSIONS]
    made = TSNE(
        DIMENSIONS,
        perplexity=min(PERPLEXITY, (count - 1) / 3),
        learning_rate="auto",
        init=_start(reduced),
        angle=ANGLE,
        random_state=seed_of(seed, "t-SNE") % 2**32,
    )
    return np.asarray(made.fit_transform(reduced), np.float64)


def components(features: Floats) -> Floats:
    """Return the first 50 principal components of N×F features, or as many as there are.

    N×D; where there are fewer than three, zeros stand for the others.
    """
    count = min(COMPONENTS, *features.shape)
    solver = "covariance_eigh" if features.shape[0] > features.shape[1] else "full"
    found = PCA(count, svd_solver=solver).fit_transform(features)
    lacking = max(0, DIMENSIONS - count)
    return np.pad(found, ((0, 0), (0, lacking)))


def _start(reduced: Floats) -> npt.NDArray[np.float32]:
    """Return where t-SNE starts: the first three components, tiny (Kobak & Berens 2019)."""
    first = reduced[:, :DIMENSIONS]
    scale = first[:, 0].std() or 1.0
    return np.asarray(first / scale * 1e-4, np.float32)


def view(places: Floats) -> Floats:
    """Return N×3 points as they are seen from where they spread most (N×2)."""
    if len(places) < 3:
        return places[:, :2]
    return np.asarray(PCA(2, svd_solver="full").fit_transform(places))
