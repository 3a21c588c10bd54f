"""Figure 2: the artifacts side by side."""

from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sourcebench import seeds
from sourcebench.artifacts import ARTIFACTS
from sourcebench.figures.parts.examples import Example
from sourcebench.figures.source_matters.figure2 import figure2, zoom_on

KINDS = ARTIFACTS.names()
build = ARTIFACTS.build


@pytest.fixture(scope="module")
def original():
    grain = seeds.generator("figure").normal(0, 6, (256, 256))
    return np.clip(120 + grain + 60 * np.sin(np.mgrid[:256, :256][0] / 40), 0, 255).astype(np.uint8)


def panels(figure):
    """Rows of four axes each."""
    return np.array(figure.axes, dtype=object).reshape(-1, 4)


def draw(original, confounders):
    return figure2([Example(name, made, original) for name, made in confounders.items()])


def words(axis):
    return [text.get_text() for text in axis.texts]


def test_there_is_a_row_of_images_for_each_confounder(original):
    confounders = {name: build(name) for name in KINDS}
    figure = draw(original, confounders)
    rows = panels(figure)
    assert len(rows) == len(KINDS)
    for (name, confounder), row in zip(confounders.items(), rows, strict=True):
        heading = " ".join(words(row[0]))
        assert confounder.title in heading, name
        assert str(confounder.taxon) in heading
        assert confounder.describe() in heading
    figure.savefig(BytesIO(), dpi=30)  # it can be drawn


def test_each_task_shows_its_own_image(original):
    tag = build("tag")
    figure = figure2(
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
    figure = draw(original, {"denoise": build("denoise")})
    _, without, with_, difference = (axis.images[0] for axis in panels(figure)[0])
    left, top = panels(figure)[0, 0].patches[0].get_xy()
    assert np.array_equal(without.get_array(), original[top : top + 32, left : left + 32])
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
    left, top = panels(figure)[0, 0].patches[0].get_xy()
    assert not np.array_equal(without, original[top : top + 32, left : left + 32])


def test_letters_stand_out_on_what_is_the_brightest_there(original):
    bright = np.minimum(original, 150) // 8 + 140
    row = panels(draw(bright, {"tag": build("tag")}))[0]
    black, white = row[2].images[0].get_clim()
    assert white == 255
    assert black < 160


def test_an_artifact_that_changes_nothing_is_shown_as_such():
    black = np.zeros((64, 64), np.uint8)
    figure = draw(black, {"denoise": build("denoise")})
    assert not panels(figure)[0, 3].images[0].get_array().any()
    figure.savefig(BytesIO(), dpi=30)


def changes(shape, *places):
    """A difference of grey levels: (top, left, side, grey levels) each."""
    difference = np.zeros(shape, np.int16)
    for top, left, side, grey in places:
        difference[top : top + side, left : left + side] += grey
    return difference


SIDES = st.tuples(st.integers(16, 200), st.integers(16, 200))


@settings(max_examples=50, deadline=None)
@given(shape=SIDES, data=st.data())
def test_a_small_artifact_is_in_the_zoom_wherever_it_is(shape, data):
    """At the borders as well: the zoom is clipped to the image, and stays square."""
    side = data.draw(st.integers(1, min(shape) // 4))
    top, left = (data.draw(st.integers(0, length - side)) for length in shape)
    zoom = zoom_on(changes(shape, (top, left, side, -3)))
    assert zoom.whole
    assert 0 <= zoom.left <= left
    assert left + side <= zoom.left + zoom.side <= shape[1]
    assert 0 <= zoom.top <= top
    assert top + side <= zoom.top + zoom.side <= shape[0]


@settings(max_examples=50, deadline=None)
@given(shape=SIDES, seed=st.integers(0, 99))
def test_of_a_large_artifact_the_zoom_shows_where_it_changes_most(shape, seed):
    difference = seeds.generator("large", seed).choice([-5, 0, 5], shape).astype(np.int16)
    difference[0, 0] = difference[-1, -1] = 5
    zoom, amount = zoom_on(difference), np.abs(difference)
    assert not zoom.whole
    side, (height, width) = zoom.side, shape
    sums = {
        (left, top): amount[top : top + side, left : left + side].sum()
        for top in range(height - side + 1)
        for left in range(width - side + 1)
    }
    inner = [
        total
        for (left, top), total in sums.items()
        if side // 2 <= left <= width - side - side // 2
        and side // 2 <= top <= height - side - side // 2
    ]
    largest = max(sums.values())
    shown = max(inner) if 2 * max(inner, default=-1) >= largest else largest
    assert sums[zoom.left, zoom.top] == shown


def test_a_line_of_strong_changes_along_a_border_does_not_draw_the_zoom():
    """As periodic filters leave it."""
    difference = changes((96, 96), (30, 40, 20, 5), (0, 0, 96, 1))
    difference[-1] = 90
    zoom = zoom_on(difference)
    assert zoom.top <= 30 < 50 <= zoom.top + zoom.side < 95
    assert zoom.left <= 40 < 60 <= zoom.left + zoom.side


@pytest.mark.parametrize("corner", [(0, 0), (0, 88), (88, 0), (88, 88)])
def test_of_two_distant_changes_the_stronger_one_is_shown(corner):
    zoom = zoom_on(changes((96, 96), (*corner, 8, 50), (40, 40, 8, 20)))
    assert 0 <= zoom.left <= 96 - zoom.side
    assert 0 <= zoom.top <= 96 - zoom.side
    assert zoom.left <= corner[1] <= zoom.left + zoom.side - 8
    assert zoom.top <= corner[0] <= zoom.top + zoom.side - 8


@pytest.mark.parametrize(("x", "y"), [(0, 0), (930, 30), (30, 930), (930, 930)])
def test_the_arrow_to_a_tag_starts_within_the_image(original, x, y):
    axis = panels(draw(original, {"tag": build("tag", x=x, y=y)}))[0, 0]
    (arrow,) = (text for text in axis.texts if not text.get_text())
    assert all(0 <= end <= 256 for end in (*arrow.get_position(), *arrow.xy))
