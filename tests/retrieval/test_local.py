"""Finding and reading images in folders of the user's."""

import os
import shutil
import struct
import zlib
from pathlib import Path

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.folders import fingerprint, index_folder
from sourcebench.retrieval.formats.png import read_png


def put(path, text="x"):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    "places",
    [
        ["1.png", "2.png", "3.png"],
        ["images/1.png", "images/2.png", "images/3.png"],
        ["images_001/images/1.png", "images_001/images/2.png", "images_002/images/3.png"],
    ],
)
def test_every_layout(tmp_path, places):
    for place in reversed(places):
        put(tmp_path / place)
    table = index_folder(tmp_path)
    assert list(table.columns) == ["image_id", "path"]
    assert table["image_id"].tolist() == ["1.png", "2.png", "3.png"]
    assert table["path"].tolist() == [str(tmp_path / place) for place in places]
    assert table.attrs["duplicates"] == 0


def test_other_files_are_left_out(tmp_path):
    for name in ("a.png", "._a.png", ".hidden.png", "a.jpg", "png", "a.png.part"):
        put(tmp_path / name)
    (tmp_path / "folder.png").mkdir()
    assert index_folder(tmp_path)["image_id"].tolist() == ["a.png"]


def test_the_first_of_duplicates_counts(tmp_path):
    for place in ("c/1.png", "a/1.png", "b/1.png", "b/2.png"):
        put(tmp_path / place)
    table = index_folder(tmp_path)
    assert table["path"].tolist() == [str(tmp_path / "a/1.png"), str(tmp_path / "b/2.png")]
    assert table.attrs["duplicates"] == 2


def test_links_are_followed_but_not_in_circles(tmp_path):
    put(tmp_path / "elsewhere/1.png")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "images").symlink_to(tmp_path / "elsewhere")
    (folder / "circle").symlink_to(folder)
    assert index_folder(folder)["path"].tolist() == [str(folder / "images/1.png")]


def test_folders_without_images(tmp_path):
    with pytest.raises(SourceBenchError, match="nowhere does not exist"):
        index_folder(tmp_path / "nowhere")
    for name in ("images", "labels"):
        (tmp_path / "study" / name).mkdir(parents=True)
    near = r"imags does not exist: there is no 'imags' in .*study \(is it 'images'\?\)\.$"
    with pytest.raises(SourceBenchError, match=near):
        index_folder(tmp_path / "study" / "imags")
    far = r"does not exist: there is no 'xyz' in .*study; there are: images, labels\.$"
    with pytest.raises(SourceBenchError, match=far):
        index_folder(tmp_path / "study" / "xyz" / "train")
    with pytest.raises(SourceBenchError, match="is not a folder"):
        index_folder(put(tmp_path / "file"))
    (tmp_path / "empty").mkdir()
    with pytest.raises(SourceBenchError, match=r"no \.png file in .*empty"):
        index_folder(tmp_path / "empty")


@pytest.fixture
def folder(tmp_path):
    for name in ("1.png", "b/1.png", "b/2.png"):
        put(tmp_path / "data" / name)
    return tmp_path / "data"


CHANGES = {
    "a file more": lambda folder: put(folder / "b" / "3.png"),
    "a file less": lambda folder: (folder / "b" / "2.png").unlink(),
    "another name": lambda folder: (folder / "1.png").rename(folder / "2.png"),
    "another folder": lambda folder: (folder / "b").rename(folder / "c"),
    "another size": lambda folder: put(folder / "1.png", "longer"),
    "another time": lambda folder: os.utime(folder / "1.png", ns=(7, 7)),
    "a link to nowhere": lambda folder: (folder / "3.png").symlink_to(folder / "nowhere"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_fingerprint_tells_every_change(folder, change):
    before = fingerprint(folder)
    CHANGES[change](folder)
    assert fingerprint(folder) != before


def test_a_fingerprint_is_of_what_lies_in_a_folder(folder, tmp_path, monkeypatch):
    before = fingerprint(folder)
    assert len(before) == 32
    put(folder / ".DS_Store")
    shutil.copytree(folder, tmp_path / "copy")  # keeps the times
    (tmp_path / "link").symlink_to(folder)
    monkeypatch.chdir(tmp_path)
    for same in (folder, tmp_path / "copy", tmp_path / "link", Path("data"), Path("data/")):
        assert fingerprint(same) == before
    assert fingerprint(tmp_path / "nowhere") == "missing"


def test_a_fingerprint_sees_through_links(tmp_path):
    put(tmp_path / "elsewhere/1.png")
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "images").symlink_to(tmp_path / "elsewhere")
    (folder / "circle").symlink_to(folder)
    (folder / "itself").symlink_to(folder / "itself")
    before = fingerprint(folder)
    os.utime(tmp_path / "elsewhere/1.png", ns=(7, 7))
    assert fingerprint(folder) != before
    assert index_folder(folder)["image_id"].tolist() == ["1.png"]


def test_a_fingerprint_of_a_file(tmp_path):
    file = put(tmp_path / "labels.csv")
    before = fingerprint(file)
    os.utime(file, ns=(7, 7))
    assert fingerprint(file) != before


GREY = np.random.default_rng(3).integers(0, 256, (24, 31), np.uint8)
STACKS = {
    "LA": [GREY, 255 - GREY],
    "RGB": [GREY] * 3,
    "RGBA": [GREY] * 3 + [np.full_like(GREY, 255)],
}


def save(path, image, **options):
    Image.fromarray(image).save(path, **options)
    return path


def test_grey(tmp_path):
    image = read_png(save(tmp_path / "a.png", GREY))
    assert image.dtype == np.uint8
    np.testing.assert_array_equal(image, GREY)


@pytest.mark.parametrize("mode", STACKS)
def test_equal_channels_are_grey(tmp_path, mode):
    image = read_png(save(tmp_path / "a.png", np.dstack(STACKS[mode])))
    assert image.flags.c_contiguous
    np.testing.assert_array_equal(image, GREY)


def recolour(image, channel):
    stack = np.dstack(image)
    stack[5, 7, channel] ^= 1
    return stack


OTHER_KINDS = {
    "8-bit RGB": recolour(STACKS["RGB"], 2),
    "8-bit RGBA": recolour(STACKS["RGBA"], 0),
    "16-bit grey": GREY.astype(np.uint16) * 257,
    "1-bit grey": GREY > 99,
}


@pytest.mark.parametrize("kind", OTHER_KINDS)
def test_other_kinds_of_image(tmp_path, kind):
    path = save(tmp_path / "odd.png", OTHER_KINDS[kind])
    with pytest.raises(SourceBenchError, match=rf"odd\.png .*\({kind}\).*Convert it"):
        read_png(path)


def test_palette(tmp_path):
    Image.fromarray(GREY).convert("P").save(tmp_path / "odd.png")
    with pytest.raises(SourceBenchError, match="8-bit palette"):
        read_png(tmp_path / "odd.png")


@pytest.fixture(scope="module")
def sound(tmp_path_factory):
    path = tmp_path_factory.mktemp("sound") / "a.png"
    Image.fromarray(GREY).save(path, dpi=(100, 100))  # a chunk that decoders skip over
    return path.read_bytes()


each = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@each
@given(data=st.data())
def test_a_truncated_file_is_never_an_image(sound, tmp_path, data):
    path = tmp_path / "cut.png"
    path.write_bytes(sound[: data.draw(st.integers(0, len(sound) - 1))])
    with pytest.raises(SourceBenchError, match=r"cut\.png is truncated or damaged"):
        read_png(path)


@each
@given(data=st.data())
def test_a_flipped_bit_is_never_overlooked(sound, tmp_path, data):
    path = tmp_path / "flipped.png"
    bad = bytearray(sound)
    bad[data.draw(st.integers(0, len(sound) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    path.write_bytes(bytes(bad))
    with pytest.raises(SourceBenchError, match=r"flipped\.png is truncated or damaged"):
        read_png(path)


def test_pixels_that_stop_early_behind_sound_checksums(sound, tmp_path):
    start = sound.index(b"IDAT") + 4
    (length,) = struct.unpack_from(">I", sound, start - 8)
    body = sound[start : start + length // 2]
    chunk = struct.pack(">I", len(body)) + b"IDAT" + body
    chunk += struct.pack(">I", zlib.crc32(b"IDAT" + body))
    path = tmp_path / "short.png"
    path.write_bytes(sound[: start - 8] + chunk + sound[start + length + 4 :])
    with pytest.raises(SourceBenchError, match="pixels could not be decoded"):
        read_png(path)


def test_files_that_are_no_png(tmp_path):
    with pytest.raises(SourceBenchError, match=r"gone\.png could not be read: No such file"):
        read_png(tmp_path / "gone.png")
    with pytest.raises(SourceBenchError, match="does not begin as a PNG does"):
        read_png(put(tmp_path / "page.png", "<html>"))
    cv2.imwrite(str(tmp_path / "a.jpg"), GREY)
    with pytest.raises(SourceBenchError, match="does not begin as a PNG does"):
        read_png(Path(tmp_path / "a.jpg"))
