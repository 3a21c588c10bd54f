"""A slice out of a DICOM file, with all that such files do differently."""

import numpy as np
import pydicom
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydicom.pixels import apply_rescale
from pydicom.uid import (
    DeflatedExplicitVRLittleEndian,
    ExplicitVRBigEndian,
    ExplicitVRLittleEndian,
    ImplicitVRLittleEndian,
    JPEGLossless,
    RLELossless,
)

from lidc_files import SIDE, encoded, put, series, slice_of, stored
from sourcebench.artifacts.noise import HIGH_HU, LOW_HU
from sourcebench.datasets.lidc.headers import index, match
from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.formats import ct
from sourcebench.retrieval.formats.ct import read_hu, read_slice, to_grey


def by_pydicom(path):
    dataset = pydicom.dcmread(path)
    return apply_rescale(dataset.pixel_array, dataset)


@pytest.mark.parametrize("signed", [True, False])
@pytest.mark.parametrize(
    "syntax",
    [
        ExplicitVRLittleEndian,
        ImplicitVRLittleEndian,
        DeflatedExplicitVRLittleEndian,
        ExplicitVRBigEndian,
        RLELossless,
    ],
)
@pytest.mark.parametrize("rescale", [(1, 0), (1, -1024), (0.5, -1000.25)])
def test_agrees_with_pydicom(tmp_path, signed, syntax, rescale):
    slope, intercept = rescale
    pixels = stored() if signed and not intercept else np.abs(stored())
    pixels = pixels.astype(np.int16 if signed else np.uint16)
    dataset = slice_of(pixels=pixels, RescaleSlope=slope, RescaleIntercept=intercept)
    if syntax == RLELossless:
        dataset.compress(RLELossless)
    else:
        dataset.file_meta.TransferSyntaxUID = syntax
    if syntax == ExplicitVRBigEndian:
        dataset.PixelData = pixels.astype(pixels.dtype.newbyteorder(">")).tobytes()
    path = put(tmp_path / "a", dataset)
    hu, remarks = read_hu(path)
    assert hu.dtype == np.float32
    np.testing.assert_array_equal(hu, by_pydicom(path))
    np.testing.assert_array_equal(hu, pixels.astype(float) * slope + intercept)
    expected = {"odd_size", "compressed"} if syntax == RLELossless else {"odd_size"}
    assert set(remarks) == expected


def test_cuts_the_middle_out_and_windows_it(tmp_path):
    pixels = np.full((512, 512), 3000, np.int16)
    pixels[75:437, 75:437] = -1024
    pixels[75, 75], pixels[436, 436] = 0, 40
    grey, remarks = read_slice(put(tmp_path / "a", slice_of(pixels=pixels)))
    assert (grey.shape, grey.dtype, remarks) == ((362, 362), np.uint8, ())
    assert grey[0, 0] == 1200 * 255 // 2000
    assert grey[-1, -1] == 1240 * 255 // 2000
    assert np.unique(grey).tolist() == [22, 153, 158]


@given(
    hu=st.integers(-4000, 4000),
    window=st.tuples(st.integers(-1500, -200), st.integers(-100, 2000)),
)
def test_grey_levels_are_exact(hu, window):
    low, high = window
    expected = (min(max(hu, low), high) - low) * 255 // (high - low)
    assert to_grey(np.array([[hu]], np.float32), window)[0, 0] == expected


def test_the_window_is_that_of_the_noise_confounders():
    grey = np.arange(256)
    middle = (grey + 0.5) * (HIGH_HU - LOW_HU) / 255 + LOW_HU
    assert np.array_equal(to_grey(middle[None].astype(np.float32), (LOW_HU, HIGH_HU))[0], grey)
    ends = to_grey(np.array([[-1200, -1000, 799.9, 800]], np.float32), (LOW_HU, HIGH_HU))
    assert ends.tolist() == [[0, 25, 254, 255]]


def test_another_window_and_side(tmp_path):
    path = put(tmp_path / "a", slice_of())
    grey, _ = read_slice(path, window=(-1000, 0), side=6)
    np.testing.assert_array_equal(grey, to_grey(read_hu(path)[0][5:11, 5:11], (-1000, 0)))


def test_too_small_a_slice_is_refused(tmp_path):
    path = put(tmp_path / "small", slice_of())
    with pytest.raises(SourceBenchError, match=r"small is a slice of 16×16 pixels, too small"):
        read_slice(path)


@pytest.mark.parametrize("signed", [True, False])
def test_bits_above_the_stored_ones_are_no_part_of_a_value(tmp_path, signed):
    values = np.arange(SIDE * SIDE).reshape(SIDE, SIDE) * 7 % 2048
    values = values - 1024 if signed else values
    clean = (values & 0x0FFF).astype(np.uint16)
    dirty = (clean | 0x5000).astype(np.int16 if signed else np.uint16)
    options = {"BitsStored": 12, "HighBit": 11}
    hu, _ = read_hu(put(tmp_path / "low", slice_of(pixels=dirty, **options)))
    np.testing.assert_array_equal(hu, values - (0 if signed else 1024))
    high = (clean << 4 | 5).astype(dirty.dtype)
    dataset = slice_of(pixels=high, BitsStored=12, HighBit=15)
    np.testing.assert_array_equal(read_hu(put(tmp_path / "high", dataset))[0], hu)


@pytest.mark.parametrize("mark", [-2000, -3024])
def test_marks_outside_the_field_of_view_are_air_without_a_tag(tmp_path, mark):
    pixels = np.full((SIDE, SIDE), 40, np.int16)
    pixels[0, :3] = mark
    pixels[1, 0] = -1024
    hu, remarks = read_hu(put(tmp_path / "a", slice_of(pixels=pixels)))
    assert hu[0, :4].tolist() == [-1000, -1000, -1000, 40]
    assert hu[1, 0] == -1024
    assert "padding" in remarks


@pytest.mark.parametrize("declared", [-1100, 65536 - 1100])
def test_declared_padding_is_air_whatever_sign_it_was_declared_with(tmp_path, declared):
    pixels = np.full((SIDE, SIDE), 40, np.int16)
    pixels[0, 0], pixels[0, 1] = -1100, -1101
    dataset = slice_of(pixels=pixels)
    dataset.add_new("PixelPaddingValue", "US" if declared > 0 else "SS", declared)
    hu, remarks = read_hu(put(tmp_path / "a", dataset))
    assert hu[0, :3].tolist() == [-1000, -1101, 40]
    assert "padding" in remarks
    dataset.add_new("PixelPaddingRangeLimit", "SS", -1150)
    assert read_hu(put(tmp_path / "b", dataset))[0][0, 1] == -1000


def test_declared_padding_is_compared_with_what_is_stored(tmp_path):
    pixels = np.full((SIDE, SIDE), 1064, np.uint16)
    pixels[0, 0] = 0
    dataset = slice_of(pixels=pixels)
    dataset.add_new("PixelPaddingValue", "US", 0)
    hu, remarks = read_hu(put(tmp_path / "a", dataset))
    assert hu[0, :2].tolist() == [-1000, 40]
    assert "padding" in remarks


def test_a_padding_value_that_tissue_has_is_not_believed(tmp_path):
    pixels = np.zeros((SIDE, SIDE), np.int16)
    dataset = slice_of(pixels=pixels)
    dataset.add_new("PixelPaddingValue", "SS", 0)
    hu, remarks = read_hu(put(tmp_path / "a", dataset))
    assert (hu == 0).all()
    assert "padding" not in remarks


@pytest.mark.parametrize("way", ["file", "element"])
@pytest.mark.parametrize("short", [1, 2, 3, 4])
def test_a_few_missing_bytes_at_the_end_are_air(tmp_path, way, short):
    pixels = stored(side=512)
    dataset = slice_of(pixels=pixels)
    if way == "element":
        dataset.PixelData = dataset.PixelData[:-short]
    path = put(tmp_path / "a", dataset, cut=short if way == "file" else 0)
    hu, remarks = read_hu(path)
    # An element of odd length gets a byte of padding in its file, which completes no pixel's value
    # that could be told from a true one.
    lost = -(-short // 2) if way == "file" else short // 2
    assert remarks == (("short_pixel_data",) if lost else ())
    whole = hu.size - -(-short // 2)
    np.testing.assert_array_equal(hu.reshape(-1)[:whole], pixels.reshape(-1)[:whole])
    assert (hu.reshape(-1)[hu.size - lost :] == -1000).all()


@pytest.mark.parametrize(("share", "sound"), [(0.009, True), (0.011, False), (0.9, False)])
def test_a_truncated_file_is_refused_by_name(tmp_path, share, sound):
    cut = int(512 * 512 * share) * 2
    path = put(tmp_path / "1-042.dcm", slice_of(pixels=stored(side=512)), cut=cut)
    if sound:
        assert read_slice(path)[1] == ("short_pixel_data",)
    else:
        with pytest.raises(
            SourceBenchError, match=rf"1-042\.dcm is truncated.*{cut // 2:,} of its"
        ):
            read_slice(path)


def test_more_bytes_than_pixels_are_harmless(tmp_path):
    dataset = slice_of()
    dataset.PixelData += b"\x01\x02\x03\x04"
    np.testing.assert_array_equal(read_hu(put(tmp_path / "a", dataset))[0], stored())


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"without": ["PixelData"]}, "holds no pixels"),
        ({"without": ["RescaleSlope"]}, "doesn't say its RescaleSlope"),
        ({"without": ["RescaleIntercept"]}, "doesn't say its RescaleIntercept"),
        ({"without": ["Rows"]}, "doesn't say its Rows"),
        ({"PhotometricInterpretation": "MONOCHROME1"}, "PhotometricInterpretation is MONOCHROME1"),
        ({"SamplesPerPixel": 3}, "SamplesPerPixel is 3"),
        ({"BitsAllocated": 8}, "BitsAllocated is 8"),
        ({"BitsStored": 17}, "17 of 16 bits"),
        ({"NumberOfFrames": 2}, "several images"),
    ],
)
def test_other_images_are_refused_by_name(tmp_path, options, sentence):
    path = put(tmp_path / "1-007.dcm", slice_of(**options))
    with pytest.raises(SourceBenchError, match=rf"1-007\.dcm .*{sentence}"):
        read_hu(path)


def test_a_compression_without_a_decoder_is_told(tmp_path):
    dataset = slice_of()
    dataset.PixelData = pydicom.encaps.encapsulate([b"\xff\xd8\xff\xd9"])
    dataset["PixelData"].is_undefined_length = True
    dataset.file_meta.TransferSyntaxUID = JPEGLossless
    with pytest.raises(SourceBenchError, match=r"could not be decompressed.*JPEG Lossless"):
        read_hu(put(tmp_path / "a", dataset))


def test_what_is_no_dicom_is_told(tmp_path):
    with pytest.raises(SourceBenchError, match="does not exist"):
        read_hu(tmp_path / "none")
    for name, content in (("empty", b""), ("text", b"text" * 100), ("start", bytes(128) + b"DICM")):
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceBenchError, match=f"{name} is truncated or damaged"):
            read_hu(tmp_path / name)


@given(data=st.data())
def test_damage_ends_in_a_sentence_or_a_slice(tmp_path_factory, data):
    content = bytearray(encoded(slice_of()))
    for place in data.draw(st.lists(st.integers(0, len(content) - 1), max_size=6)):
        content[place] = data.draw(st.integers(0, 255))
    path = tmp_path_factory.mktemp("damage") / "a"
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))])
    try:
        hu, remarks = read_hu(path)
    except SourceBenchError as error:
        named = str(path) in str(error)
    else:
        named = hu.ndim == 2 and set(remarks) <= set(ct.REMARKS)
    assert named


def test_odd_values_in_the_header_make_no_noise(tmp_path, recwarn, capfd):
    dataset = slice_of(pixels=stored(side=512))
    with pydicom.config.disable_value_validation():
        dataset.add_new("StudyInstanceUID", "UI", "1.2.not a uid.")
        dataset.add_new("SliceThickness", "DS", "1.250000000000000000000")
        dataset.add_new("PatientAge", "AS", "sixty")
        path = put(tmp_path / "a", dataset)
    read_slice(path)
    assert not recwarn.list
    assert capfd.readouterr() == ("", "")


def test_a_pair_of_slices_reads_the_pixels_of_two_files(tmp_path, monkeypatch):
    """All other files end where their pixels begin, so that reading them would fail."""
    paths = series(tmp_path, np.arange(20.0))
    rows = index(tmp_path, None).table.iloc[[4, 11]]
    for path in paths:
        if str(path) not in set(rows["path"]):
            data = path.read_bytes()
            path.write_bytes(data[: -SIDE * SIDE * 2])
    read = []

    def spy(path):
        read.append(str(path))
        return load(path)

    load = ct.load
    monkeypatch.setattr(ct, "load", spy)
    wanted = rows.assign(image_id=["a", "b"])[["image_id", "series_uid", "z"]]
    chosen, _ = match(wanted, index(tmp_path, None))
    grey = [read_slice(path, side=SIDE)[0] for path in chosen["path"]]
    assert read == rows["path"].tolist()
    np.testing.assert_array_equal(grey[0], to_grey(stored(4.0), (-1200, 800)))
