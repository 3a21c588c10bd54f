"""What every pixel confounder owes: images with and without it differ by the artifact alone.

At a vanishing strength (an infinite dose, a circle that holds every frequency, a tag outside the
image) the two are the same, pixel for pixel, whatever sizes they go by way of.
"""

import math

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sourcebench import seeds
from sourcebench.artifacts import ARTIFACTS, write_layer
from sourcebench.artifacts.drawing import draw
from sourcebench.artifacts.noise import poisson_noise
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import resize

KINDS = ARTIFACTS.names()
FEW_ANGLES = {"projection_noise": {"angles": 12, "accelerator": "cpu"}}
SIDES = st.integers(16, 72)


def vanishing(kind, resolution=None):
    """A confounder that says of itself that it leaves no trace."""
    declared = ARTIFACTS.get(kind).vanishing
    assert declared, (
        f"The confounder '{kind}' does not say at which values of its parameters its artifact "
        "vanishes; declare them in its class: vanishing: ClassVar = {'strength': 0}, say."
    )
    values = FEW_ANGLES.get(kind, {}) | dict(declared)
    if resolution and "resolution" in ARTIFACTS.get(kind).__dataclass_fields__:
        values["resolution"] = resolution
    return ARTIFACTS.build(kind, **values)


def grain(height, width, seed=0):
    return seeds.generator("grain", seed).integers(0, 256, (height, width), dtype=np.uint8)


def with_and_without(confounder, image, size, method, seed=0):
    """An image with the artifact, and as the networks see it without."""
    options = {"input_size": size, "resize_method": method, "seed": seed}
    with_ = draw(confounder, "artifact", image, "an image", **options)
    if confounder.needs_base(size):
        return with_, draw(confounder, "base", image, "an image", **options)
    return with_, resize(image, size, method)


@pytest.mark.parametrize("kind", KINDS)
@settings(max_examples=25, deadline=None)
@given(
    native=SIDES,
    resolution=st.none() | SIDES,
    size=SIDES,
    method=st.sampled_from(["nearest", "antialiased"]),
    seed=st.integers(0, 99),
)
@example(native=64, resolution=32, size=32, method="antialiased", seed=0)
def test_without_strength_nothing_sets_images_apart(kind, native, resolution, size, method, seed):
    image = grain(native, native, seed)
    confounder = vanishing(kind, resolution)
    with_, without = with_and_without(confounder, image, size, method, seed)
    assert np.array_equal(with_, without)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "projection_noise"])
@pytest.mark.parametrize("shape", [(40, 64), (64, 40)])
def test_nor_does_it_in_images_that_are_not_square(kind, shape):
    with_, without = with_and_without(vanishing(kind, 48), grain(*shape), 32, "nearest")
    assert np.array_equal(with_, without)


@pytest.mark.parametrize("kind", KINDS)
def test_an_artifact_that_vanished_is_refused_where_it_is_drawn(kind, tmp_path):
    native = np.stack([grain(48, 48, seed) for seed in range(3)])
    with pytest.raises(
        SourceBenchError, match=rf"of kind '{kind}' .* changes none of the 3 images"
    ):
        write_layer(
            vanishing(kind),
            "artifact",
            native,
            ["a", "b", "c"],
            input_size=32,
            resize_method="nearest",
            seed=0,
            path=tmp_path / "artifact.npy",
        )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("size", "same"), [(32, False), (48, True)])
def test_only_another_size_than_the_networks_gives_clean_images_a_layer(kind, size, same):
    confounder = vanishing(kind, 48)
    other_size = confounder.resolution is not None and not same
    assert confounder.needs_base(size) == (confounder.has_base or other_size)


@pytest.mark.parametrize("fraction", [0.0, 1 - 2**-53])
@pytest.mark.parametrize("n0", [math.inf, 1e15])
def test_rounding_errors_are_far_below_what_truncation_could_see(fraction, n0, monkeypatch):
    """Of the values in [g, g + 1) even those at its ends come back as they were, to 1e-9."""

    class Ends:
        def random(self, shape):
            return np.full(shape, np.clip(fraction, 1e-9, 1 - 1e-9))

        def poisson(self, mean):
            return mean  # the expectation: no noise but that of floats

    image = np.arange(256, dtype=np.uint8).reshape(16, 16)
    assert np.array_equal(poisson_noise(image, n0, Ends()), image)


@pytest.mark.parametrize("kind", ["poisson_noise", "projection_noise"])
def test_the_largest_finite_dose_is_next_to_an_infinite_one(kind):
    image = grain(64, 64)
    at_most, infinite = (
        draw(
            ARTIFACTS.build(kind, **(FEW_ANGLES.get(kind, {}) | {"n0": n0, "resolution": 64})),
            "artifact",
            image,
            "an image",
            input_size=64,
            resize_method="nearest",
            seed=0,
        ).astype(int)
        for n0 in (1e15, math.inf)
    )
    assert np.abs(at_most - infinite).max() <= 1
    assert (at_most != infinite).mean() < 5e-3
