"""Generated images to pretrain on."""

import numpy as np
import pytest

from sourcebench.sources import GENERATORS


@pytest.mark.parametrize("name", GENERATORS.names())
def test_every_class_is_drawn_deterministically_and_differs_from_image_to_image(name):
    generator = GENERATORS.get(name)
    for label in range(len(generator.classes)):
        first, again = (generator.draw(np.random.default_rng(7), label, 64) for _ in range(2))
        other = generator.draw(np.random.default_rng(8), label, 64)
        assert (first.shape, first.dtype) == ((64, 64), np.uint8)
        np.testing.assert_array_equal(first, again)
        assert np.abs(first.astype(int) - other).mean() > 3
        assert first.std() > 20


@pytest.mark.parametrize("name", GENERATORS.names())
def test_labels_cover_all_classes(name):
    generator = GENERATORS.get(name)
    rng = np.random.default_rng(0)
    assert {generator.generate(rng, 32)[1] for _ in range(200)} == set(
        range(len(generator.classes))
    )


def test_dead_leaves_have_the_spectrum_of_natural_images():
    # Natural images' power falls as 1/f^2, give or take (Baradad et al. 2021, section 3).
    generator = GENERATORS.get("dead_leaves")
    label = generator.classes.index("flat discs")
    power = np.zeros((128, 128))
    for seed in range(20):
        image = generator.draw(np.random.default_rng(seed), label, 128).astype(float)
        image = (image - image.mean()) * np.outer(np.hanning(128), np.hanning(128))
        power += np.abs(np.fft.fft2(image)) ** 2
    frequency = np.hypot(*np.meshgrid(*[np.fft.fftfreq(128)] * 2))
    band = (frequency > 0.04) & (frequency < 0.35)
    slope = np.polyfit(np.log(frequency[band]), np.log(power[band]), 1)[0]
    assert -3.5 < slope < -1.5
