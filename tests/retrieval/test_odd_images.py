"""Files that are whole and unusual, of which a reader could make another image."""

import numpy as np
import pydicom
import pytest
import tifffile
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.sequence import Sequence
from pydicom.uid import ExplicitVRLittleEndian, SecondaryCaptureImageStorage, generate_uid

from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.formats import read_image

TURNS = {
    1: lambda image: image,
    2: lambda image: image[:, ::-1],
    3: lambda image: image[::-1, ::-1],
    4: lambda image: image[::-1],
    5: lambda image: image.T,
    6: lambda image: np.rot90(image, -1),
    7: lambda image: image[::-1, ::-1].T,
    8: lambda image: np.rot90(image),
}
"""What each orientation (TIFF 6.0, tag 274) makes of the stored image."""


@pytest.mark.parametrize("orientation", TURNS)
@pytest.mark.parametrize("compression", [None, "zlib"])
@pytest.mark.parametrize("bits", [8, 16])
def test_a_grey_tiff_is_turned_as_it_says(tmp_path, orientation, compression, bits):
    stored = np.random.default_rng(1).integers(0, 256, (48, 64)).astype(np.uint8)
    path = tmp_path / "a.tif"
    tifffile.imwrite(
        path, stored if bits == 8 else stored.astype(np.uint16) * 257, compression=compression,
        extratags=[(274, "H", 1, orientation, True)], metadata=None,
    )  # fmt: skip
    image, _ = read_image(path)
    np.testing.assert_array_equal(image, TURNS[orientation](stored))


def test_a_tiff_of_fractions_in_which_white_is_zero_is_refused(tmp_path):
    tifffile.imwrite(tmp_path / "a.tif", np.ones((4, 4), np.float32), photometric="miniswhite")
    with pytest.raises(SourceBenchError, match=r"a\.tif"):
        read_image(tmp_path / "a.tif", (0, 1))


def dicom(path, stored, **header):
    """Write a grey image of 16 bits, signed where its numbers are."""
    data = Dataset()
    data.file_meta = FileMetaDataset()
    data.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
    data.file_meta.MediaStorageSOPClassUID = SecondaryCaptureImageStorage
    data.file_meta.MediaStorageSOPInstanceUID = generate_uid()
    data.Rows, data.Columns = stored.shape
    data.SamplesPerPixel, data.PhotometricInterpretation = 1, "MONOCHROME2"
    data.BitsAllocated = data.BitsStored = 16
    data.HighBit, data.PixelRepresentation = 15, int(stored.dtype.kind == "i")
    data.PixelData = stored.tobytes()
    for name, value in header.items():
        setattr(data, name, value)
    pydicom.dcmwrite(path, data, enforce_file_format=True)
    return path


def item(**header):
    made = Dataset()
    for name, value in header.items():
        setattr(made, name, value)
    return Sequence([made])


VALUES = np.array([[900, 950, 1000, 1050, 1100, 0, 3000, 1000]], np.uint16)


def test_an_enhanced_file_is_read_as_the_plain_one_of_the_same_frame(tmp_path):
    told = {"RescaleSlope": 2, "RescaleIntercept": -1000}
    window = {"WindowCenter": 1000, "WindowWidth": 400}
    group = Dataset()
    group.PixelValueTransformationSequence = item(**told)
    group.FrameVOILUTSequence = item(**window)
    plain = dicom(tmp_path / "plain.dcm", VALUES, **told, **window)
    for where in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        enhanced = dicom(tmp_path / "enhanced.dcm", VALUES, **{where: Sequence([group])})
        for asked in (None, (900, 1100)):
            np.testing.assert_array_equal(
                read_image(enhanced, asked)[0], read_image(plain, asked)[0]
            )
    assert len(np.unique(read_image(plain)[0])) > 3


def test_a_presentation_lut_shape_inverts(tmp_path):
    plain = read_image(dicom(tmp_path / "a.dcm", VALUES))[0]
    turned = read_image(dicom(tmp_path / "b.dcm", VALUES, PresentationLUTShape="INVERSE"))[0]
    np.testing.assert_array_equal(turned, 255 - plain)


def test_a_voi_lut_of_packed_bytes(tmp_path):
    stored = np.arange(256, dtype=np.uint16).reshape(16, 16)
    lut = Dataset()
    lut.LUTDescriptor = [256, 0, 8]
    lut.add_new(0x00283006, "OW", bytes(range(255, -1, -1)))
    path = dicom(tmp_path / "a.dcm", stored, VOILUTSequence=Sequence([lut]))
    np.testing.assert_array_equal(read_image(path)[0], 255 - stored)


def test_a_voi_lut_whose_first_value_lost_its_sign(tmp_path):
    stored = np.linspace(-2048, 2047, 64).astype(np.int16).reshape(8, 8)
    lut = Dataset()
    lut.add_new(0x00283002, "US", [4096, 2**16 - 2048, 12])
    lut.add_new(0x00283006, "OW", np.arange(4096, dtype="<u2").tobytes())
    path = dicom(tmp_path / "a.dcm", stored, VOILUTSequence=Sequence([lut]))
    wanted = np.round((stored.astype(float) + 2048) * 255 / 4095)
    assert np.abs(read_image(path)[0] - wanted).max() <= 1


@pytest.mark.parametrize("written", ["US", "SS"])
def test_padding_is_known_whatever_sign_it_is_written_with(tmp_path, written):
    stored = np.array([[-2000, -2000, 0, 100, 200, 300, 400, 500]], np.int16)
    data = pydicom.dcmread(dicom(tmp_path / "a.dcm", stored))
    value = -2000 if written == "SS" else 2**16 - 2000
    data.add_new(0x00280120, written, value)
    data.save_as(tmp_path / "b.dcm")
    image, _ = read_image(tmp_path / "b.dcm")
    np.testing.assert_array_equal(image[0, 2:], [0, 51, 102, 153, 204, 255])
