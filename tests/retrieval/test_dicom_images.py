"""DICOM files as images: what is black and white, colours, and what is refused."""

import io

import numpy as np
import pydicom
import pytest
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.pixels import apply_modality_lut, apply_voi, apply_windowing
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.formats import read_image

STORED = np.random.default_rng(2).integers(-2000, 2001, (20, 24)).astype(np.int16)
STORED[3, 3:5] = -2000, 2000


def written(pixels, kind="MONOCHROME2", bits=16, **further):
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    dataset.SOPClassUID, dataset.SOPInstanceUID = SecondaryCaptureImageStorage, generate_uid()
    dataset.Rows, dataset.Columns = pixels.shape[:2]
    dataset.SamplesPerPixel = pixels.shape[2] if pixels.ndim == 3 else 1
    if pixels.ndim == 3:
        dataset.PlanarConfiguration = 0
    dataset.PhotometricInterpretation = kind
    dataset.PixelRepresentation = int(pixels.dtype.kind == "i")
    dataset.BitsAllocated = 8 * pixels.dtype.itemsize
    dataset.BitsStored, dataset.HighBit = bits, bits - 1
    dataset.PixelData = pixels.tobytes()
    for name, value in further.items():
        setattr(dataset, name, value)
    stream = io.BytesIO()
    dataset.save_as(stream, enforce_file_format=True)
    return stream.getvalue()


@pytest.fixture
def file(tmp_path):
    def write(*args, **further):
        path = tmp_path / "a.dcm"
        path.write_bytes(written(*args, **further))
        return path

    return write


def read(path, window=None):
    image, odd = read_image(path, window)
    assert odd == ()
    assert image.dtype == np.uint8
    return image


def windowed(path):
    """What pydicom makes of a file's first window, spread over 0 to 255."""
    dataset = pydicom.dcmread(path)
    values = apply_modality_lut(dataset.pixel_array, dataset)
    shown = apply_windowing(values, dataset)
    slope, shift = dataset.get("RescaleSlope", 1), dataset.get("RescaleIntercept", 0)
    low, high = -(2**15) * slope + shift, (2**15 - 1) * slope + shift
    return np.floor((shown - low) / (high - low) * 255 + 0.5)


RESCALED = {"RescaleSlope": 2, "RescaleIntercept": -1000}


@pytest.mark.parametrize("function", [None, "LINEAR", "LINEAR_EXACT", "SIGMOID"])
@pytest.mark.parametrize("rescale", [{}, RESCALED])
@pytest.mark.parametrize("width", [1, 350, 2000.5])
def test_windows_are_pydicoms(file, function, rescale, width):
    further = {"VOILUTFunction": function} if function else {}
    window = {"WindowCenter": [40, 300], "WindowWidth": [width, 80]}
    path = file(STORED, **rescale, **window, **further)
    # Where a value lies on the border of two grey levels, float64's last bit decides.
    assert np.abs(read(path) - windowed(path)).max() <= 1
    assert (read(path) == windowed(path)).mean() > 0.99


@pytest.mark.parametrize("depth", [8, 12, 16])
def test_a_voi_lut_is_pydicoms_and_goes_before_a_window(file, depth):
    lut = Dataset()
    entries = 200
    lut.LUTDescriptor = [entries, 50, depth]
    lut.LUTData = (np.sqrt(np.arange(entries) / 199) * (2**depth - 1)).astype(int).tolist()
    for item in ("LUTDescriptor", "LUTData"):
        lut[item].VR = "US"
    # pydicom's own indices into a LUT of 8 bits overflow beyond 255.
    stored = (np.arange(480, dtype=np.uint16) % 300).reshape(20, 24)
    path = file(stored, VOILUTSequence=[lut], WindowCenter=3, WindowWidth=2)
    expected = apply_voi(stored, pydicom.dcmread(path)) / (2**depth - 1) * 255
    np.testing.assert_array_equal(read(path), np.floor(expected + 0.5))


def test_the_window_asked_for_beats_the_files(file):
    path = file(STORED, WindowCenter=40, WindowWidth=400, **RESCALED)
    shown = (np.clip(2.0 * STORED - 1000, -500, 1500) + 500) / 2000 * 255
    np.testing.assert_array_equal(read(path, (-500, 1500)), np.floor(shown + 0.5))


@pytest.mark.parametrize("window", [{}, {"WindowCenter": 5, "WindowWidth": 0}])
def test_without_a_window_the_image_spans_its_own_range(file, window):
    stored = STORED.copy()
    stored[0, :5] = -3000
    values = (stored + 2000.0) / (stored.max() + 2000.0)
    path = file(stored, PixelPaddingValue=-3000, **window, **RESCALED)
    expected = np.floor(np.clip(values, 0, 1) * 255 + 0.5)
    np.testing.assert_array_equal(read(path), expected)
    assert (read(path)[0, :5] == 0).all()


def test_eight_bits_are_taken_as_they_are(file):
    stored = np.arange(30, 90, dtype=np.uint8).reshape(6, 10)
    np.testing.assert_array_equal(read(file(stored, bits=8)), stored)
    np.testing.assert_array_equal(read(file(stored, "MONOCHROME1", 8)), 255 - stored)
    np.testing.assert_array_equal(read(file(stored % 2, bits=1, BitsAllocated=8)), stored % 2 * 255)


def test_a_constant_image_is_black_and_no_error(file):
    assert (read(file(np.full((4, 4), 7, np.int16))) == 0).all()


def test_colours(file):
    pixels = np.random.default_rng(0).integers(0, 256, (10, 12, 3), np.uint8)
    np.testing.assert_array_equal(read(file(pixels, "RGB", 8), (0, 5)), pixels)
    deep = pixels.astype(np.uint16) * 257
    np.testing.assert_array_equal(read(file(deep, "RGB")), pixels)
    ybr = read(file(np.tile(np.uint8([76, 85, 255]), (4, 4, 1)), "YBR_FULL", 8))
    assert np.abs(ybr[0, 0].astype(int) - (254, 0, 0)).max() <= 1  # red, by ITU-R BT.601
    palettes = {}
    for channel, colour in enumerate(("Red", "Green", "Blue")):
        lut = np.arange(256, dtype=np.uint16)[:: (1, -1, 1)[channel]] * 257
        palettes[f"{colour}PaletteColorLookupTableDescriptor"] = [256, 0, 16]
        palettes[f"{colour}PaletteColorLookupTableData"] = lut.tobytes()
    indices = pixels[..., 0]
    shown = read(file(indices, "PALETTE COLOR", 8, **palettes))
    np.testing.assert_array_equal(shown, np.dstack([indices, 255 - indices, indices]))


REFUSED = {
    "holds 3 frames, not one image": {"NumberOfFrames": 3},
    r"60,000×50,000 px; at most": {"Columns": 60_000, "Rows": 50_000},
    "whose PhotometricInterpretation is HSV": {"PhotometricInterpretation": "HSV"},
    "whose 12 bits do not begin at the lowest": {"BitsStored": 12},
    "its pixels can't be read": {"Rows": 21},
    "can't be followed": {"RescaleSlope": 1, "RescaleIntercept": [1, 2]},
}


@pytest.mark.parametrize("why", REFUSED)
def test_what_is_refused(file, why):
    with pytest.raises(SourceBenchError, match=rf"a\.dcm .*{why}.*leave it out") as caught:
        read_image(file(STORED, **REFUSED[why]))
    assert "\n" not in str(caught.value)


def test_no_image_and_every_truncation(file):
    path = file(STORED)
    whole = path.read_bytes()
    for length in [*range(133, 1000, 9), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(SourceBenchError, match=r"a\.dcm"):
            read_image(path)
