"""One embedding of all images: seeded, joint, and true to who is near whom."""

import numpy as np
import pandas as pd
import pytest
from sklearn.manifold import trustworthiness

from sourcebench.errors import SourceBenchError
from sourcebench.explorer.embedding import COMPONENTS, FEWEST, chosen, components, embed, view
from sourcebench.seeds import generator


def clouds(each=25, features=60, apart=6.0):
    """Three clouds of points, each flat as what networks learn is, and which each point is of."""
    rng = generator("clouds")
    centres = rng.normal(size=(3, features)) * apart
    cloud = np.repeat([0, 1, 2], each)
    within = rng.normal(size=(3 * each, 3)) @ rng.normal(size=(3, features))
    return centres[cloud] + within, cloud


def test_components_are_those_of_the_singular_value_decomposition():
    for shape in ((70, 60), (40, 60)):
        features = generator(shape).normal(size=shape) * np.linspace(3, 1, 60)
        found = components(features)
        left, values, _ = np.linalg.svd(features - features.mean(0), full_matrices=False)
        count = min(COMPONENTS, *shape)
        np.testing.assert_allclose(np.abs(found), np.abs(left * values)[:, :count], atol=1e-8)


def test_fewer_features_than_three_have_zeros_beside_them():
    assert components(np.array([[1.0], [3.0]])).shape == (2, 3)
    assert not components(np.array([[1.0], [3.0]]))[:, 1:].any()


def test_two_runs_give_the_same_numbers_and_another_seed_others():
    features, _ = clouds(10)
    one, again, other = embed(features, 1), embed(features, 1), embed(features, 2)
    assert one.dtype == np.float64
    assert one.shape == (30, 3)
    assert np.array_equal(one, again)
    assert np.isfinite(one).all()
    assert other.shape == one.shape


def test_who_was_near_is_near():
    features, cloud = clouds()
    places = embed(features, 1)
    assert trustworthiness(features, places, n_neighbors=5) > 0.97
    assert np.abs(places).max() < 50  # at a larger learning rate so few burst apart
    away = ((places[:, None] - places) ** 2).sum(2)
    np.fill_diagonal(away, np.inf)
    assert (cloud[away.argmin(1)] == cloud).all()


def test_images_of_two_test_sets_that_look_alike_lie_together():
    """As a t-SNE of each test set by itself would not have them."""
    features, _ = clouds(20)
    shifted = features + 0.05 * generator("shift").normal(size=features.shape)
    places = embed(np.concatenate([features, shifted]), 1)
    twin = np.sqrt(((places[:60] - places[60:]) ** 2).sum(1))
    pairs = np.sqrt(((places[:60, None] - places[:60]) ** 2).sum(2))
    assert np.median(twin) < np.percentile(pairs, 10)


@pytest.mark.parametrize("count", [1, 2, 5, FEWEST - 1, FEWEST, FEWEST + 1])
def test_few_points_have_places_too(count):
    places = embed(generator("few").normal(size=(count, 8)), 1)
    assert places.shape == (count, 3)
    assert np.isfinite(places).all()
    if count < FEWEST:
        features = generator("few").normal(size=(count, 8))
        np.testing.assert_allclose(places, components(features)[:, :3])
    assert view(places).shape == (count, 2)


def test_points_that_are_all_one_are_no_error():
    assert np.isfinite(embed(np.ones((20, 5)), 1)).all()


def test_a_network_that_diverged_is_a_sentence():
    with pytest.raises(SourceBenchError, match="smaller learning rate"):
        embed(np.full((20, 5), np.inf, np.float16), 1)


def test_images_are_chosen_with_all_their_layers():
    points = pd.DataFrame({
        "image_id": [f"i{i}" for i in range(40) for _ in range(4)],
        "layer": [f"l{j}" for _ in range(40) for j in range(4)],
    })  # fmt: skip
    assert chosen(points, 1, 160).all()
    some = chosen(points, 1, 61)
    assert some.sum() == 60
    assert (points[some].groupby("image_id").size() == 4).all()
    assert np.array_equal(some, chosen(points, 1, 61))
    assert not np.array_equal(some, chosen(points, 2, 61))


def test_a_view_is_from_where_points_spread_most():
    rng = generator("view")
    flat = rng.normal(size=(200, 3)) * [0.01, 5, 2]
    seen = view(flat)
    np.testing.assert_allclose(seen.std(0), flat.std(0)[[1, 2]], rtol=0.05)
