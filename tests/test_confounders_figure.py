"""Figure 2: the artifacts side by side."""

from io import BytesIO

import numpy as np
import pytest

from sourcebench import seeds
from sourcebench.confounders import REGISTRY, PixelConfounder, build
from sourcebench.figures.figure2 import Example, artifact_panel

PIXEL = [name for name in REGISTRY.names() if issubclass(REGISTRY.get(name), PixelConfounder)]


@pytest.fixture(scope="module")
def original():
    grain = seeds.generator("figure").normal(0, 6, (256, 256))
    return np.clip(120 + grain + 60 * np.sin(np.mgrid[:256, :256][0] / 40), 0, 255).astype(np.uint8)


def panels(figure):
    """Rows of four axes each."""
    return np.array(figure.axes, dtype=object).reshape(-1, 4)


def draw(original, confounders, **options):
    examples = [Example(name, built, original) for name, built in confounders.items()]
    return artifact_panel(examples, **options)


def words(axis):
    return [text.get_text() for text in axis.texts]


def test_there_is_a_row_of_images_for_each_confounder(original):
    confounders = {name: build(name) for name in PIXEL}
    figure = draw(original, confounders)
    rows = panels(figure)
    assert len(rows) == len(PIXEL)
    for (name, confounder), row in zip(confounders.items(), rows, strict=True):
        heading = " ".join(words(row[0]))
        assert confounder.title in heading, name
        assert str(confounder.taxon) in heading
        assert confounder.describe() in heading
    figure.savefig(BytesIO(), dpi=30)  # it can be drawn


def test_each_task_shows_its_own_image(original):
    tag = build("tag")
    figure = artifact_panel(
        [Example("tag", tag, original, "X-ray"), Example("tag", tag, 255 - original, "CT")]
    )
    (first, *_), (second, *_) = panels(figure)
    assert any(text.startswith("X-ray   ·   environment / external") for text in words(first))
    assert any(text.startswith("CT") for text in words(second))
    assert not np.array_equal(first.images[0].get_array(), second.images[0].get_array())


def test_a_name_of_the_users_own_is_shown(original):
    figure = draw(original, {"strong": build("poisson_noise", n0=2e6)})
    assert words(panels(figure)[0, 0])[0] == "Poisson noise (strong)"


def test_the_difference_is_that_of_the_zooms_in_symmetric_grey_levels(original):
    figure = draw(original, {"denoise": build("denoise")}, box=(0.25, 0.5, 0.125))
    _, without, with_, difference = (axis.images[0] for axis in panels(figure)[0])
    assert np.array_equal(without.get_array(), original[128:160, 64:96])
    expected = with_.get_array().astype(int) - without.get_array().astype(int)
    assert np.array_equal(difference.get_array(), expected)
    low, high = difference.get_clim()
    assert low == -high
    assert without.get_clim() == with_.get_clim()


def test_the_zoom_goes_where_a_small_artifact_is_and_an_arrow_points_to_it(original):
    figure = draw(original, {"tag": build("tag"), "denoise": build("denoise")})
    tag, denoise = panels(figure)
    left, top = tag[0].patches[0].get_xy()
    side = tag[0].patches[0].get_width()
    assert left <= 206 / 4 <= 243 / 4 <= left + side
    assert top <= 213 / 4 <= 260 / 4 <= top + side
    assert side < 32
    assert "" in words(tag[0])  # an arrow without words
    assert "" not in words(denoise[0])


def test_images_without_the_artifact_are_those_of_the_base_where_there_is_one(original):
    figure = draw(original, {"noise_levels": build("noise_levels", resolution=256)})
    without = panels(figure)[0, 1].images[0].get_array()
    left, top = (int(share * 256 + 0.5) for share in (0.3, 0.4))
    assert not np.array_equal(without, original[top : top + 32, left : left + 32])


def test_an_artifact_that_changes_nothing_is_shown_as_such():
    black = np.zeros((64, 64), np.uint8)
    figure = draw(black, {"denoise": build("denoise")})
    assert not panels(figure)[0, 3].images[0].get_array().any()
    figure.savefig(BytesIO(), dpi=30)
