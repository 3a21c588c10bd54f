"""Files that others wrote: scikit-image's, pydicom's and nibabel's samples, read by other ways."""

import importlib.util
from pathlib import Path

import imageio.v3 as imageio
import nibabel
import numpy as np
import pydicom
import pytest
from PIL import Image

from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.formats import read_image

pytestmark = [pytest.mark.filterwarnings("ignore:::PIL"), pytest.mark.filterwarnings("ignore")]


def samples(package, *parts):
    (root,) = importlib.util.find_spec(package).submodule_search_locations
    return Path(root, *parts)


PICTURES = samples("skimage", "data")
SCANS = samples("pydicom", "data", "test_files")
VOLUMES = samples("nibabel", "tests", "data")


@pytest.mark.parametrize("path", sorted(PICTURES.glob("*.png")), ids=lambda path: path.name)
def test_pngs_of_scikit_image(path):
    """By Pillow: grey, RGB, palettes and alpha."""
    image, odd = read_image(path)
    expected = np.asarray(Image.open(path).convert("RGB"))
    shown = np.dstack([image] * 3) if image.ndim == 2 else image
    np.testing.assert_array_equal(shown, expected)
    assert odd == ()
    assert (image.ndim == 2) == bool((expected == expected[..., :1]).all())


@pytest.mark.parametrize("path", sorted(PICTURES.glob("*.jpg")), ids=lambda path: path.name)
def test_jpegs_of_scikit_image(path):
    """By imageio; two builds of the same decoder may differ by a grey level."""
    image, _ = read_image(path)
    assert np.abs(image.astype(int) - imageio.imread(path)).max() <= 1


GREYS = ["MR_small.dcm", "MR_small_RLE.dcm", "MR_small_bigendian.dcm", "MR_small_implicit.dcm"]
GREYS += ["MR_small_jp2klossless.dcm", "MR_small_padded.dcm", "examples_overlay.dcm"]
GREYS += ["693_J2KI.dcm", "J2K_pixelrep_mismatch.dcm", "MR_small_expb.dcm"]


@pytest.mark.parametrize("name", GREYS)
def test_windows_of_pydicoms_files(name):
    """By pydicom's own modality and VOI LUTs, spread over the values that can be stored."""
    dataset = pydicom.dcmread(SCANS / name)
    values = pydicom.pixels.apply_modality_lut(dataset.pixel_array, dataset)
    shown = pydicom.pixels.apply_voi_lut(values, dataset)
    bits, signed = dataset.BitsStored, dataset.PixelRepresentation
    ends = np.array([0, 2**bits - 1]) - signed * 2 ** (bits - 1)
    low, high = ends * dataset.get("RescaleSlope", 1) + dataset.get("RescaleIntercept", 0)
    image, _ = read_image(SCANS / name)
    np.testing.assert_allclose(image, (shown - low) / (high - low) * 255, atol=0.5001)


@pytest.mark.parametrize("name", ["CT_small.dcm", "JPEG2000.dcm", "rtdose_1frame.dcm"])
def test_pydicoms_files_without_a_window(name):
    dataset = pydicom.dcmread(SCANS / name)
    pixels = dataset.pixel_array.astype(float)
    kept = pixels[pixels != dataset.get("PixelPaddingValue", np.nan)]
    shown = (np.clip(pixels, kept.min(), None) - kept.min()) / np.ptp(kept) * 255
    np.testing.assert_allclose(read_image(SCANS / name)[0], shown, atol=0.5001)


COLOURS = [
    "SC_rgb_dcmtk_+eb+cr.dcm",
    "SC_rgb_gdcm_KY.dcm",
    "SC_rgb_rle.dcm",
    "SC_rgb_rle_16bit.dcm",
]
COLOURS += ["SC_rgb_rle_32bit.dcm", "SC_rgb_small_odd.dcm", "SC_ybr_full_422_uncompressed.dcm"]
COLOURS += ["SC_rgb_jpeg_dcmtk.dcm", "examples_rgb_color.dcm", "ExplVR_BigEnd.dcm"]


@pytest.mark.parametrize("name", COLOURS)
def test_coloured_files_of_pydicoms(name):
    dataset = pydicom.dcmread(SCANS / name)
    pixels = pydicom.pixels.pixel_array(dataset)
    image, _ = read_image(SCANS / name)
    np.testing.assert_allclose(image, pixels / (2.0**dataset.BitsStored - 1) * 255, atol=0.5001)


def test_bars_are_of_one_colour_however_they_were_compressed():
    """The same test card, which dcmtk and gdcm wrote as RGB, YBR, JPEG, JPEG 2000 and RLE."""
    card = read_image(SCANS / "SC_rgb_rle.dcm")[0].astype(int)
    for path in SCANS.glob("SC_rgb_dcmtk_*.dcm"):
        away = np.abs(read_image(path)[0] - card)[5:95]
        assert np.median(away) <= 2, path.name


def test_a_palette_of_pydicoms():
    dataset = pydicom.dcmread(SCANS / "examples_palette.dcm")
    tables = [getattr(dataset, f"{c}PaletteColorLookupTableData") for c in ("Red", "Green", "Blue")]
    colours = np.stack([np.frombuffer(table, "<u2") for table in tables], axis=-1)
    shown = colours[dataset.pixel_array] / 257
    np.testing.assert_allclose(read_image(SCANS / dataset.filename)[0], shown, atol=0.5001)


@pytest.mark.parametrize(
    ("name", "number"),
    [("anatomical.nii", 12), ("standard.nii.gz", 3), ("resampled_anat_moved.nii", 1)],
)
def test_slices_of_nibabels_volumes(name, number):
    """By nibabel's canonical axes, right, front and top."""
    volume = nibabel.load(VOLUMES / name)
    values = volume.get_fdata()
    axes = nibabel.aff2axcodes(volume.affine)
    assert {"".join(sorted(pair)) for pair in ("RL", "AP")} >= {
        "".join(sorted({"R": "RL", "L": "RL", "A": "AP", "P": "AP"}[axis])) for axis in axes[:2]
    }
    canonical = nibabel.as_closest_canonical(volume).get_fdata()
    k = number if axes[2] == "S" else values.shape[2] - 1 - number
    plane = canonical[::-1, ::-1, k].T
    low, high = np.nanmin(values), np.nanmax(values)
    shown = np.nan_to_num((plane - low) / (high - low)) * 255
    np.testing.assert_allclose(read_image(VOLUMES / f"{name}#{number}")[0], shown, atol=0.5001)


REFUSED = {
    PICTURES / "multipage.tif": "holds 2 pages",
    PICTURES / "no_time_for_that_tiny.gif": "is a GIF",
    PICTURES / "lfw_subset.npy": "is of no format that is known",
    SCANS / "MR_truncated.dcm": "is truncated or damaged",
    SCANS / "examples_ybr_color.dcm": "holds 30 frames",
    SCANS / "JPEG-lossy.dcm": "could not be decompressed .*12-bit",
    SCANS / "MR_small_jpeg_ls_lossless.dcm": "could not be decompressed .JPEG-LS",
    SCANS / "rtplan.dcm": "is a DICOM file without an image",
    SCANS / "no_meta.dcm": "is of no format that is known",
    VOLUMES / "anatomical.nii": "holds 25 slices",
    VOLUMES / "functional.nii": "holds an array of 17×21×3×20",
}


@pytest.mark.parametrize("path", REFUSED, ids=lambda path: path.name)
def test_what_is_refused_of_them(path):
    with pytest.raises(SourceBenchError, match=f"{path.name} {REFUSED[path]}") as caught:
        read_image(path)
    assert "\n" not in str(caught.value)
