"""Images that are none, or not whole, or too large, or several: a sentence each."""

import contextlib
import io
import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.formats import read_image

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")

rng = np.random.default_rng(5)
GREY = rng.integers(0, 256, (24, 31), np.uint8)
RGB = rng.integers(0, 256, (24, 31, 3), np.uint8)


def save(path, image, **options):
    Image.fromarray(image).save(path, **options)
    return path


def written(suffix, image=RGB, **options):
    stream = io.BytesIO()
    Image.fromarray(image).save(stream, FORMATS_OF_PILLOW[suffix], **options)
    return stream.getvalue()


FORMATS_OF_PILLOW = {".png": "PNG", ".jpg": "JPEG", ".tif": "TIFF", ".bmp": "BMP", ".webp": "WEBP"}


@pytest.mark.parametrize("suffix", FORMATS_OF_PILLOW)
def test_the_content_counts_and_a_wrong_suffix_is_said(tmp_path, suffix):
    for name, odd in ((f"a{suffix}", ()), ("a", ()), ("a.dcm", ("other_suffix",))):
        (tmp_path / name).write_bytes(written(suffix))
        image, said = read_image(tmp_path / name)
        assert image.shape == RGB.shape
        assert said == odd


CUT = [(suffix, {}) for suffix in FORMATS_OF_PILLOW]
CUT += [(".tif", {"compression": name}) for name in ("tiff_lzw", "jpeg")]


@pytest.mark.parametrize(("suffix", "options"), CUT)
def test_a_truncated_file_is_never_another_image(tmp_path, suffix, options):
    whole = written(suffix, **options)
    path = tmp_path / f"cut{suffix}"
    path.write_bytes(whole)
    complete = read_image(path)[0]
    for length in [*range(1, 64), *range(64, len(whole), 13), len(whole) - 2, len(whole) - 1]:
        path.write_bytes(whole[:length])
        if length < 0.9 * len(whole) or suffix not in (".tif", ".bmp"):
            with pytest.raises(SourceBenchError, match=rf"cut\{suffix}"):
                read_image(path)
            continue
        with contextlib.suppress(SourceBenchError):  # what was cut off may be no pixels
            np.testing.assert_array_equal(read_image(path)[0], complete)


def claims(suffix, width, height):
    """A small file that says it has so many pixels."""
    data = bytearray(written(suffix))
    if suffix == ".png":
        data[16:24] = struct.pack(">II", width, height)
        data[29:33] = struct.pack(">I", zlib.crc32(data[12:29]))
    elif suffix == ".jpg":
        place = data.index(b"\xff\xc0")
        data[place + 5 : place + 9] = struct.pack(">HH", height, width)
    elif suffix == ".bmp":
        data[18:26] = struct.pack("<ii", width, height)
    else:
        for tag, value in ((256, width), (257, height)):
            place = data.index(struct.pack("<HHI", tag, 4, 1))
            data[place + 8 : place + 12] = struct.pack("<I", value)
    return bytes(data)


@pytest.mark.parametrize("suffix", [".png", ".jpg", ".bmp", ".tif"])
def test_a_small_file_that_claims_a_large_image(tmp_path, suffix):
    path = tmp_path / f"bomb{suffix}"
    path.write_bytes(claims(suffix, 60_000, 50_000))
    with pytest.raises(SourceBenchError, match=r"bomb.* 60,000×50,000 px; at most .* Cut or shri"):
        read_image(path)


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".tif"])
def test_a_million_by_one(tmp_path, suffix):
    path = save(tmp_path / f"line{suffix}", np.zeros((1, 1_000_000), np.uint8))
    with pytest.raises(SourceBenchError, match=r"line.* 1,000,000×1 px; at most 65,535 a side"):
        read_image(path)


def test_several_images_in_a_file(tmp_path):
    frames = [Image.fromarray(RGB), Image.fromarray(255 - RGB)]
    for name, what in (
        ("a.png", "an animation"), ("a.webp", "an animation"), ("a.tif", "2 pages"),
    ):  # fmt: skip
        frames[0].save(tmp_path / name, save_all=True, append_images=frames[1:])
        with pytest.raises(SourceBenchError, match=rf"{name} holds {what}, not one image"):
            read_image(tmp_path / name)


BAD = {
    "empty.png": (b"", "is empty"),
    "notes.png": (b"Nothing to see here.\n", "is text, and no image that is read"),
    "umlauts.png": ("ä".encode() * 3000, "is text"),
    "page.jpg": (b"<!DOCTYPE html><html>", "is text"),
    "a.gif": (b"GIF89a" + bytes(20), "is a GIF, and no image that is read"),
    "a.zip": (b"PK\x03\x04" + bytes(40), "is a ZIP archive"),
    "noise.png": (bytes([200, 0, 3]) * 50, "is of no format that is known"),
    "half.nii.gz": (b"\x1f\x8b" + bytes(100), "is a gzip archive"),
    "bits.jpg": (b"\xff\xd8\xff\xc0\0\x0b\x0c\0\x10\0\x10\x01\x01\x11\0"
                 b"\xff\xda\0\x08\x01\x01\0\0\x3f\0\0\xff\xd9", "is a JPEG of 12 bits"),
}  # fmt: skip


@pytest.mark.parametrize("name", BAD)
def test_files_that_are_no_image(tmp_path, name):
    content, why = BAD[name]
    (tmp_path / name).write_bytes(content)
    with pytest.raises(SourceBenchError, match=rf"{name} {why}.*leave it out") as caught:
        read_image(tmp_path / name)
    assert "\n" not in str(caught.value)


def test_what_is_no_file(tmp_path):
    with pytest.raises(SourceBenchError, match=r"gone\.png could not be read: No such file"):
        read_image(tmp_path / "gone.png")
    with pytest.raises(SourceBenchError, match="could not be read: Is a directory"):
        read_image(tmp_path)
    path = save(tmp_path / "a.png", GREY)
    with pytest.raises(SourceBenchError, match=r"a\.png is a PNG, which has no slices"):
        read_image(Path(f"{path}#3"))
    save(tmp_path / "b#3", GREY, format="PNG")
    assert read_image(tmp_path / "b#3")[0].shape == GREY.shape
