"""Thumbnails: grey stays grey, colours are true, and many channels become colours."""

import numpy as np
from PIL import Image as Picture

from sourcebench.explorer.thumbnails import COLOURS, SIDE, name_of, visible, write
from synthetic_explored import samples_of, write_run


def test_grey_and_colours_are_as_they_are():
    grey = np.arange(16, dtype=np.uint8).reshape(4, 4)
    assert visible(grey) is grey
    assert np.array_equal(visible(grey[..., None]), grey)
    colours = np.stack([grey, grey + 1, grey + 2], -1)
    assert np.array_equal(visible(colours), colours)


def test_each_of_six_channels_has_its_colour():
    for channel, colour in enumerate(COLOURS):
        image = np.zeros((2, 2, 6), np.uint8)
        image[..., channel] = 200
        assert np.array_equal(visible(image)[0, 0], 200 * np.array(colour))


def test_channels_are_laid_over_each_other_as_on_a_screen():
    image = np.zeros((1, 1, 6), np.uint8)
    image[0, 0, [2, 4]] = [100, 150]  # red and magenta: red is 1 - (1 - a)(1 - b)
    red = round(255 * (1 - (1 - 100 / 255) * (1 - 150 / 255)))
    assert visible(image).tolist() == [[[red, 0, 150]]]
    assert visible(np.full((1, 1, 6), 255, np.uint8)).tolist() == [[[255, 255, 255]]]
    assert not visible(np.zeros((1, 1, 2), np.uint8)).any()


def test_they_are_small_and_of_the_layer(tmp_path):
    run, _, layers = write_run(tmp_path, count=4)
    points = samples_of(4)[["image_id"]].assign(layer=["none", "none", "bright_3", "bright_3"])
    write(points, layers, tmp_path / "out")
    files = sorted((tmp_path / "out" / "thumbnails").iterdir())
    assert len(files) == 4
    shown = np.asarray(Picture.open(tmp_path / "out" / name_of("part/0002.png", "bright_3")))
    assert np.array_equal(shown, np.load(run / "bright_3.npy")[2])


def test_large_images_shrink(tmp_path):
    class Large:
        def read(self, image_ids, layers):
            import torch

            return torch.zeros((len(image_ids), 300, 300, 3), dtype=torch.uint8)

    write(samples_of(1).assign(layer="none"), Large(), tmp_path)
    shown = Picture.open(tmp_path / name_of("part/0000.png", "none"))
    assert shown.size == (SIDE, SIDE)
    assert shown.mode == "RGB"


def test_names_differ_by_image_and_layer():
    assert (
        len({name_of(*p) for p in [("a", "b"), ("a", "c"), ("b", "b"), ("ab", ""), ("", "ab")]})
        == 5
    )
