"""A confounder's contract: what write_layer refuses, and what it says."""

from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from sourcebench import files, seeds
from sourcebench.artifacts import Artifact, write_layer
from sourcebench.errors import SourceBenchError
from sourcebench.traits import Taxon

IDS = [f"{number:08d}_000.png" for number in range(6)]
NATIVE = seeds.generator("contract").integers(0, 250, (len(IDS), 96, 96), dtype=np.uint8)


@dataclass(frozen=True)
class Odd(Artifact):
    """Makes of images what it is told to."""

    kind = "odd"
    title = "Oddity"
    taxon = Taxon("environment", "external")

    make: Any = None

    def __post_init__(self):
        """No parameters to check."""

    def describe(self):
        return "odd"

    def artifact(self, image, rng):
        return self.make(image)


def odd_layer(path, make, native=None):
    native = NATIVE if native is None else native
    options = {"input_size": 32, "resize_method": "nearest", "seed": 7}
    write_layer(Odd(make), "artifact", native, IDS, path=path, **options)
    return np.array(files.load_array(path))


def in_place(image):
    image[20:40, 30:60] = 255
    return image


@pytest.mark.parametrize(
    ("make", "came"),
    [
        (lambda image: image * 0.5, "96×96 of float64"),
        (lambda image: image.astype(int), "96×96 of int64"),
        (lambda image: image[1:], "95×96 of uint8"),
        (lambda image: image[..., None], "96×96×1 of uint8"),
        (lambda image: image.tolist(), "a list"),
        (lambda image: None, "a NoneType"),
        (lambda image: image > 9, "96×96 of bool"),
    ],
)
def test_an_artifact_that_is_no_such_image_is_refused(tmp_path, make, came):
    message = (
        rf"Artifact 'Oddity' of kind 'odd': artifact\(\) made {came} of 96×96 of uint8, the "
        rf"image {IDS[0]}; it must return an array of the same shape and type"
    )
    with pytest.raises(SourceBenchError, match=message):
        odd_layer(tmp_path / "a.npy", make)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("make", [lambda image: image, lambda image: image.copy()])
def test_an_artifact_that_changes_no_image_is_refused(tmp_path, make):
    message = r"a\.npy: the artifact 'Oddity' of kind 'odd' \(odd\) changes none of the 6 images"
    with pytest.raises(SourceBenchError, match=message):
        odd_layer(tmp_path / "a.npy", make)
    assert list(tmp_path.iterdir()) == []


def test_an_artifact_that_the_networks_would_never_see_is_refused(tmp_path):
    """One pixel in 96² that no pixel of 32² is picked from."""

    def make(image):
        image[0, 0] ^= 255
        return image

    with pytest.raises(SourceBenchError, match="changes none of the 6 images of 32 px"):
        odd_layer(tmp_path / "a.npy", make)


def test_images_that_an_artifact_leaves_as_they_are_are_counted(tmp_path, capsys):
    native = NATIVE.copy()
    native[[1, 4]] = 255
    odd_layer(tmp_path / "a.npy", in_place, native)
    assert "a.npy: 2 of 6 images are the same without the artifact" in capsys.readouterr().out
    odd_layer(tmp_path / "b.npy", in_place)
    assert capsys.readouterr().out == ""


def test_an_artifact_may_be_drawn_into_the_image_it_was_given(tmp_path):
    before = NATIVE.copy()
    written = odd_layer(tmp_path / "a.npy", in_place)
    assert (written[:, 8:12, 12:18] == 255).all()
    assert np.array_equal(NATIVE, before)
