"""The augmentation does what Keras' ImageDataGenerator does, checked with SciPy's affine maps."""

import math

import numpy as np
import pytest
import torch
from scipy import ndimage

from sourcebench.training.augmentation import Augmentation, warp


def keras_matrix(angle, rows, columns, shear, zoom_rows, zoom_columns):
    """Keras' matrix in homogeneous (row, column) coordinates, written out as its product."""
    cos, sin = math.cos(angle), math.sin(angle)
    rotation = np.array([[cos, -sin, 0], [sin, cos, 0], [0, 0, 1]])
    shift = np.array([[1, 0, rows], [0, 1, columns], [0, 0, 1]])
    shearing = np.array([[1, -math.sin(shear), 0], [0, math.cos(shear), 0], [0, 0, 1]])
    zoom = np.diag([zoom_rows, zoom_columns, 1])
    return rotation @ shift @ shearing @ zoom


def keras_transform(image, matrix):
    """Map the image about its centre, linear interpolation, edge pixels repeated."""
    height, width = image.shape
    centre = np.array([[1, 0, height / 2 - 0.5], [0, 1, width / 2 - 0.5], [0, 0, 1]])
    about = centre @ matrix @ np.linalg.inv(centre)
    return ndimage.affine_transform(
        image, about[:2, :2], about[:2, 2], order=1, mode="nearest", output=np.float64
    )


@pytest.mark.parametrize("size", [31, 64])
def test_it_agrees_with_keras_formula(size):
    strength = Augmentation(rotation=10, shift=0.1, shear=8.0, zoom=0.1)
    rng = np.random.default_rng(0)
    images = ndimage.gaussian_filter(rng.uniform(0, 255, (20, size, size)), (0, 1, 1))
    theta = strength.draw(20, torch.Generator().manual_seed(5))
    ours = warp(torch.from_numpy(images)[..., None].float(), theta)[..., 0].numpy()

    draws = torch.rand(6, 20, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    draws = (draws * 2 - 1).numpy()
    for i in range(20):
        angle, rows, columns, shear, zoom_rows, zoom_columns = draws[:, i]
        matrix = keras_matrix(
            math.radians(10 * angle), 0.1 * rows * size, 0.1 * columns * size,
            math.radians(8 * shear), 1 + 0.1 * zoom_rows, 1 + 0.1 * zoom_columns,
        )  # fmt: skip
        assert np.abs(ours[i] - keras_transform(images[i], matrix)).max() < 0.02


def test_no_strength_changes_nothing():
    images = torch.rand(4, 16, 16, 3) * 255
    still = Augmentation(rotation=0, shift=0, shear=0, zoom=0)
    theta = still.draw(4, torch.Generator().manual_seed(1))
    torch.testing.assert_close(warp(images, theta), images, atol=1e-3, rtol=0)


def test_draws_stay_within_their_limits():
    strength = Augmentation(rotation=10, shift=0.1, shear=0, zoom=0)
    theta = strength.draw(2000, torch.Generator().manual_seed(1)).double()
    angles = torch.atan2(theta[:, 1, 0], theta[:, 0, 0]).rad2deg()
    assert angles.abs().max() <= 10
    assert angles.abs().max() > 9.8
    assert abs(angles.mean()) < 0.5
    assert theta[:, :, 2].norm(dim=1).max() <= 2 * 0.1 * math.sqrt(2) + 1e-6


def test_the_generator_decides():
    draw = Augmentation().draw
    first = draw(3, torch.Generator().manual_seed(1))
    assert torch.equal(first, draw(3, torch.Generator().manual_seed(1)))
    assert not torch.equal(first, draw(3, torch.Generator().manual_seed(2)))


def test_the_outside_repeats_the_edge():
    image = torch.zeros(1, 10, 10, 1)
    image[:, :, 0] = 7.0  # the left column
    right = torch.tensor([[[1.0, 0, -0.6], [0, 1.0, 0]]])  # what lies 3 px further left
    expected = torch.zeros(10, 10)
    expected[:, :4] = 7
    torch.testing.assert_close(warp(image, right)[0, ..., 0], expected, atol=1e-3, rtol=0)


def test_mirroring_exchanges_left_and_right():
    images = torch.rand(4, 16, 16, 3) * 255
    mirror = Augmentation(rotation=0, shift=0, shear=0, zoom=0, flip=1)
    theta = mirror.draw(4, torch.Generator().manual_seed(1))
    torch.testing.assert_close(warp(images, theta), images.flip(2), atol=1e-3, rtol=0)


def test_mirroring_leaves_the_other_draws_as_they_are():
    plain, mirrored = (
        Augmentation(flip=flip).draw(4000, torch.Generator().manual_seed(1)) for flip in (0, 0.3)
    )
    turned = (plain != mirrored).any(-1).any(-1)
    assert abs(turned.double().mean() - 0.3) < 0.03
    images = torch.rand(200, 9, 9, 1)
    expected = warp(images, plain[:200])
    expected[turned[:200]] = expected[turned[:200]].flip(2)
    torch.testing.assert_close(warp(images, mirrored[:200]), expected, atol=1e-5, rtol=0)
