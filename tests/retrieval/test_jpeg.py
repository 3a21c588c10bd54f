"""Reading JPEG images, and proving that they are whole."""

import cv2
import numpy as np
import pytest

from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.formats.jpeg import read_jpeg


def put(path, image, settings=()):
    cv2.imwrite(str(path), image, list(settings))
    return path


def gradient(height, width):
    return np.tile(np.linspace(30, 220, width).astype(np.uint8), (height, 1))


@pytest.mark.parametrize("channels", [1, 3])
def test_a_grey_jpeg_is_read_as_it_is(tmp_path, channels):
    grey = gradient(24, 40)
    put(tmp_path / "a.jpg", grey if channels == 1 else np.dstack([grey] * 3))
    image = read_jpeg(tmp_path / "a.jpg")
    assert image.shape == (24, 40)
    assert image.dtype == np.uint8
    assert np.abs(image.astype(int) - grey).max() <= 4


@pytest.mark.parametrize("settings", [[], [cv2.IMWRITE_JPEG_PROGRESSIVE, 1]])
def test_every_truncated_jpeg_is_refused(tmp_path, settings):
    noise = np.random.default_rng(0).integers(0, 256, (16, 16), dtype=np.uint8)
    path = put(tmp_path / "cut.jpg", noise, settings)
    whole = path.read_bytes()
    path.write_bytes(whole + b"\0\0")
    assert read_jpeg(path).shape == (16, 16)
    for length in range(len(whole)):
        path.write_bytes(whole[:length])
        with pytest.raises(SourceBenchError, match=r"cut\.jpg is truncated or damaged"):
            read_jpeg(path)


def test_files_that_are_no_grey_jpeg(tmp_path):
    with pytest.raises(SourceBenchError, match=r"gone\.jpg could not be read: No such file"):
        read_jpeg(tmp_path / "gone.jpg")
    cv2.imwrite(str(tmp_path / "a.png"), gradient(8, 8))
    with pytest.raises(SourceBenchError, match="does not begin as a JPEG does"):
        read_jpeg(tmp_path / "a.png")
    colour = np.dstack([gradient(16, 16), gradient(16, 16).T, gradient(16, 16)])
    put(tmp_path / "colour.jpg", colour)
    with pytest.raises(SourceBenchError, match="8-bit, 3 channels"):
        read_jpeg(tmp_path / "colour.jpg")
