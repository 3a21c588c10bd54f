"""Images of any usual format: found by their content, and made 8 bits."""

import struct
import zlib
from fractions import Fraction

import cv2
import numpy as np
import pytest
import tifffile
from PIL import Image, ImageOps

from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.formats import FORMATS, SUFFIXES, read_image
from sourcebench.retrieval.formats.pixels import to_8_bits

pytestmark = pytest.mark.filterwarnings("ignore:::PIL")

rng = np.random.default_rng(5)
GREY = rng.integers(0, 256, (24, 31), np.uint8)
RGB = rng.integers(0, 256, (24, 31, 3), np.uint8)
DEEP = rng.integers(0, 65536, (24, 31), np.uint16)
DEEP_RGB = rng.integers(0, 65536, (24, 31, 3), np.uint16)
Y, X = np.mgrid[:48, :64]
SMOOTH = np.dstack([3 * X, 5 * Y, 255 - X - 2 * Y]).astype(np.uint8)


def save(path, image, **options):
    picture = image if isinstance(image, Image.Image) else Image.fromarray(image)
    picture.save(path, **options)
    return path


def by_pillow(path, mode="RGB"):
    return np.asarray(ImageOps.exif_transpose(Image.open(path)).convert(mode))


def rounded(values, low, high):
    """Every value's grey level in exact fractions, the nearest, halves up."""
    levels = {}
    for value in np.unique(values).tolist():
        inside = min(max(Fraction(value), Fraction(low)), Fraction(high))
        share = (inside - Fraction(low)) / (Fraction(high) - Fraction(low))
        levels[value] = int(share * 255 + Fraction(1, 2))
    return np.vectorize(levels.get)(values)


def test_suffixes():
    assert {".png", ".jpg", ".tif", ".bmp", ".webp", ".dcm", ".nii.gz"} < set(SUFFIXES)
    assert len(SUFFIXES) == len(set(SUFFIXES)) == sum(len(FORMATS.get(n).suffixes) for n in FORMATS)


@pytest.mark.parametrize("window", [(0, 65535), (1000, 2000), (-5, 70000), (12.5, 13.5)])
def test_values_become_the_nearest_grey_level(window):
    values = np.arange(0, 65536, 7, dtype=np.uint16)
    levels = to_8_bits(values, window)
    np.testing.assert_array_equal(levels, rounded(values, *window))
    many = np.tile(values, 20)  # looked up, not computed
    np.testing.assert_array_equal(to_8_bits(many, window), np.tile(levels, 20))


def test_halves_go_up_and_what_is_no_number_is_black():
    values = np.array([0.5, 1.5, 254.5, -3, 300, np.nan, np.inf, -np.inf])
    assert to_8_bits(values, (0, 255)).tolist() == [1, 2, 255, 0, 255, 0, 255, 0]
    assert to_8_bits(np.array([1, 2, 3]), (2, 2)).tolist() == [0, 0, 255]


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("see_through", [False, True])
def test_pngs_with_palettes(tmp_path, bits, see_through):
    indices = (GREY.astype(int) % 2**bits).astype(np.uint8)
    picture = Image.fromarray(indices)
    palette = rng.integers(0, 256, (2**bits, 3), np.uint8)
    picture.putpalette(palette.tobytes())
    options = {"transparency": bytes(2**bits)} if see_through else {}
    path = save(tmp_path / "a.png", picture, bits=bits, **options)
    image, odd = read_image(path)
    np.testing.assert_array_equal(image, palette[indices])
    assert odd == ()


def little_png(depth, rows):
    """A grey PNG of few bits, which neither library can write."""

    def chunk(kind, body):
        end = struct.pack(">I", zlib.crc32(kind + body))
        return struct.pack(">I", len(body)) + kind + body + end

    packed = b"".join(
        b"\0" + np.packbits(
            np.unpackbits(row[:, None], axis=1)[:, 8 - depth :].reshape(-1)
        ).tobytes()
        for row in rows
    )  # fmt: skip
    header = struct.pack(">IIBBBBB", rows.shape[1], rows.shape[0], depth, 0, 0, 0, 0)
    chunks = chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(packed)) + chunk(b"IEND", b"")
    return b"\x89PNG\r\n\x1a\n" + chunks


@pytest.mark.parametrize("depth", [1, 2, 4])
def test_grey_pngs_of_few_bits_are_spread(tmp_path, depth):
    rows = (GREY.astype(int) % 2**depth).astype(np.uint8)
    (tmp_path / "a.png").write_bytes(little_png(depth, rows))
    np.testing.assert_array_equal(read_image(tmp_path / "a.png")[0], rows * (255 // (2**depth - 1)))


def test_pngs_of_16_bits(tmp_path):
    path = save(tmp_path / "a.png", DEEP)
    np.testing.assert_array_equal(read_image(path)[0], rounded(DEEP, 0, 65535))
    np.testing.assert_array_equal(read_image(path, (300, 9000))[0], rounded(DEEP, 300, 9000))
    cv2.imwrite(str(path), DEEP_RGB[..., ::-1])
    np.testing.assert_array_equal(read_image(path)[0], rounded(DEEP_RGB, 0, 65535))


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".webp", ".tif"])
@pytest.mark.parametrize("alpha", [False, True])
def test_colours_are_rgb_and_alpha_is_ignored(tmp_path, suffix, alpha):
    layers = np.dstack([RGB, np.maximum(GREY, 1)]) if alpha else RGB
    options = {"lossless": True, "exact": True} if suffix == ".webp" else {}
    image, odd = read_image(save(tmp_path / f"a{suffix}", layers, **options))
    np.testing.assert_array_equal(image, RGB)
    assert image.flags.c_contiguous
    assert odd == ()


@pytest.mark.parametrize("suffix", [".png", ".bmp", ".webp", ".tif", ".jpg"])
def test_three_equal_channels_are_grey(tmp_path, suffix):
    grey = np.dstack([SMOOTH[..., 0]] * 3)
    options = {"lossless": True} if suffix == ".webp" else {}
    path = save(tmp_path / f"a{suffix}", grey, **options)
    assert read_image(path)[0].shape == grey.shape[:2]
    grey[32:40, 8:16] = 0, 90, 200  # in rows that are not among those looked at first
    assert read_image(save(path, grey, **options))[0].shape == grey.shape


def test_eight_bits_take_no_window(tmp_path):
    for name in ("a.png", "a.bmp", "a.tif"):
        np.testing.assert_array_equal(read_image(save(tmp_path / name, GREY), (0, 5))[0], GREY)


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_jpegs_are_turned_as_they_say(tmp_path, mode, orientation):
    exif = Image.Exif()
    exif[0x112] = orientation
    picture = Image.fromarray(SMOOTH).convert(mode)
    path = save(tmp_path / "a.jpg", picture, quality=95, exif=exif)
    image = read_image(path)[0].astype(int)
    expected = by_pillow(path, "L" if mode == "L" else "RGB")
    assert np.abs(image - expected).max() <= 1
    upright = np.asarray(picture.convert("RGB")).astype(int)
    turns = {1: 0, 3: 2, 6: 3, 8: 1}
    if mode != "L" and orientation in turns:
        assert np.abs(image - np.rot90(upright, turns[orientation])).max() < 20


def test_inverted_inks(tmp_path):
    """White paper has no ink, which Adobe's programs write as 255."""
    white = save(tmp_path / "a.jpg", Image.new("CMYK", (16, 16), (0, 0, 0, 0)))
    assert b"Adobe" in white.read_bytes()
    assert (read_image(white)[0] == 255).all()
    black = save(tmp_path / "b.jpg", Image.new("CMYK", (16, 16), (0, 0, 0, 255)))
    assert (read_image(black)[0] == 0).all()


@pytest.mark.parametrize("compression", [None, "tiff_lzw", "tiff_adobe_deflate", "packbits"])
@pytest.mark.parametrize("pixels", [GREY, RGB, DEEP], ids=["grey", "RGB", "16-bit"])
def test_tiffs_however_compressed(tmp_path, compression, pixels):
    path = save(tmp_path / "a.tif", pixels, compression=compression)
    expected = rounded(pixels, 0, 65535) if pixels is DEEP else pixels
    np.testing.assert_array_equal(read_image(path)[0], expected)
    if compression is None:
        np.testing.assert_array_equal(tifffile.imread(path), pixels)


def test_tiffs_of_other_kinds(tmp_path):
    path = tmp_path / "a.tif"
    jpeg = save(path, SMOOTH, compression="jpeg", quality=95)
    assert np.abs(read_image(jpeg)[0].astype(int) - SMOOTH).max() < 20
    cmyk = save(path, Image.fromarray(RGB).convert("CMYK"))
    np.testing.assert_array_equal(read_image(cmyk)[0], RGB)
    palette = save(path, Image.fromarray(SMOOTH).quantize(16))
    np.testing.assert_array_equal(read_image(palette)[0], by_pillow(palette))
    bits = save(path, Image.fromarray(GREY > 99), compression="group4")
    np.testing.assert_array_equal(read_image(bits)[0], (GREY > 99) * 255)


@pytest.mark.parametrize(
    "options", [{}, {"byteorder": ">"}, {"bigtiff": True}, {"compression": "zlib"}]
)
def test_tiffs_that_another_library_wrote(tmp_path, options):
    path = tmp_path / "a.tif"
    for pixels, meaning in ((DEEP, "minisblack"), (DEEP_RGB, "rgb")):
        tifffile.imwrite(path, pixels, photometric=meaning, **options)
        np.testing.assert_array_equal(read_image(path)[0], rounded(pixels, 0, 65535))
    tifffile.imwrite(path, DEEP, photometric="miniswhite", **options)
    if "byteorder" in options:
        with pytest.raises(SourceBenchError, match="is a TIFF of an unusual kind"):
            read_image(path)
    else:
        inverted = rounded(65535 - DEEP.astype(int), 0, 65535)
        np.testing.assert_array_equal(read_image(path)[0], inverted)
    tifffile.imwrite(path, RGB.transpose(2, 0, 1), photometric="rgb", planarconfig="separate")
    np.testing.assert_array_equal(read_image(path)[0], RGB)
    fractions = (GREY / 255).astype(np.float32)
    tifffile.imwrite(path, fractions, **options)
    np.testing.assert_array_equal(read_image(path, (0, 1))[0], GREY)
    with pytest.raises(SourceBenchError, match=r"a\.tif has values of the type float32.*window"):
        read_image(path)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_tiffs_are_turned_as_they_say(tmp_path, orientation):
    images = []
    for pixels in (RGB, RGB.astype(np.uint16) * 257):
        tag = (274, "H", 1, orientation, True)
        tifffile.imwrite(tmp_path / "a.tif", pixels, photometric="rgb", extratags=[tag])
        images.append(read_image(tmp_path / "a.tif")[0])
    np.testing.assert_array_equal(images[0], by_pillow(tmp_path / "a.tif") * 0 + images[1])
    turns = {1: 0, 3: 2, 6: 3, 8: 1}
    if orientation in turns:
        np.testing.assert_array_equal(images[0], np.rot90(RGB, turns[orientation]))
