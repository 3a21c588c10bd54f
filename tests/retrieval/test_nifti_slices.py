"""Slices of NIfTI volumes as images."""

import gzip
from pathlib import Path

import nibabel
import numpy as np
import pytest

from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.formats import read_image

VOLUME = np.random.default_rng(1).integers(-1000, 1000, (9, 7, 5)).astype(np.int16)
LPS = np.diag([-1.0, -1, 1, 1])


def save(path, values, affine=LPS, make=nibabel.Nifti1Image):
    nibabel.save(make(values, affine), path)
    return path


def grey(values, low, high):
    return np.floor((np.clip(values, low, high) - low) / (high - low) * 255.0 + 0.5)


@pytest.mark.parametrize("name", ["a.nii", "a.nii.gz"])
@pytest.mark.parametrize("make", [nibabel.Nifti1Image, nibabel.Nifti2Image])
def test_a_slice_by_its_number(tmp_path, name, make):
    path = save(tmp_path / name, VOLUME, make=make)
    for number in (0, 3):
        image, odd = read_image(Path(f"{path}#{number}"))
        expected = grey(VOLUME[..., number].T, VOLUME.min(), VOLUME.max())
        np.testing.assert_array_equal(image, expected)
        assert odd == ()
    windowed = read_image(Path(f"{path}#4"), (-100, 300))[0]
    np.testing.assert_array_equal(windowed, grey(VOLUME[..., 4].T, -100, 300))


@pytest.mark.parametrize("shape", [(9, 7), (9, 7, 1), (9, 7, 1, 1)])
def test_an_image_needs_no_number(tmp_path, shape):
    values = VOLUME[..., 2].reshape(shape)
    image, _ = read_image(save(tmp_path / "a.nii.gz", values))
    expected = grey(VOLUME[..., 2].T, values.min(), values.max())
    np.testing.assert_array_equal(image, expected)


@pytest.mark.parametrize("axes", [(0, 1, 2), (2, 0, 1), (1, 2, 0), (1, 0, 2), (0, 2, 1), (2, 1, 0)])
@pytest.mark.parametrize("signs", [(1, 1, 1), (-1, 1, -1), (1, -1, -1)])
def test_however_it_is_stored_a_slice_looks_alike(tmp_path, axes, signs):
    """A bright voxel's place, known in the body, is found in the image."""
    shape = (9, 7, 5)
    affine = np.zeros((4, 4))
    affine[3, 3] = 1
    for voxel_axis, (world, sign) in enumerate(zip(axes, signs, strict=True)):
        affine[world, voxel_axis] = sign
    values = np.zeros(shape, np.uint8)
    voxel = (1, 2, 3)
    values[voxel] = 255
    values[0, 0, 0] = 1
    image, _ = read_image(Path(f"{save(tmp_path / 'a.nii', values, affine)}#3"))
    corners = np.array([[i, j, 3, 1] for i in (0, 8) for j in (0, 6)]) @ affine.T
    place = affine @ (*voxel, 1)
    column_axis, row_axis = sorted(axes[:2])  # right, front, top
    from_left = corners[:, column_axis].max() - place[column_axis]
    from_top = corners[:, row_axis].max() - place[row_axis]
    assert image[round(from_top), round(from_left)] == 255
    assert (image == 255).sum() == 1


def test_floats_scales_and_what_is_no_number(tmp_path):
    values = VOLUME.astype(np.float32) / 7
    values[0, 0, 0], values[1, 1, 0] = np.nan, np.inf
    finite = values[np.isfinite(values)].astype(np.float64)
    image, _ = read_image(Path(f"{save(tmp_path / 'a.nii.gz', values)}#0"))
    shown = np.nan_to_num(values[..., 0].T.astype(np.float64), nan=finite.min())
    np.testing.assert_array_equal(image, grey(shown, finite.min(), finite.max()))
    scaled = nibabel.Nifti1Image(VOLUME, LPS)
    scaled.header.set_slope_inter(2, -1000)
    nibabel.save(scaled, tmp_path / "b.nii")
    measured = nibabel.load(tmp_path / "b.nii").get_fdata()[..., 1].T
    windowed = read_image(tmp_path / "b.nii#1", (-2000, 500))[0]
    np.testing.assert_array_equal(windowed, grey(measured, -2000, 500))


def test_colours(tmp_path):
    colours = np.random.default_rng(0).integers(0, 256, (9, 7, 2, 3), np.uint8)
    packed = colours.copy().view([("R", "u1"), ("G", "u1"), ("B", "u1")])[..., 0]
    image, _ = read_image(Path(f"{save(tmp_path / 'a.nii', packed)}#1"))
    np.testing.assert_array_equal(image, colours[:, :, 1].transpose(1, 0, 2))


def refused(path, why):
    with pytest.raises(SourceBenchError, match=why) as caught:
        read_image(path)
    assert "\n" not in str(caught.value)


def test_what_is_refused(tmp_path):
    path = save(tmp_path / "scan.nii.gz", VOLUME)
    refused(path, r"scan\.nii\.gz holds 5 slices.*as in 'scan\.nii\.gz#2'")
    refused(Path(f"{path}#5"), r"scan\.nii\.gz has no slice 5: it has 5, numbered from 0")
    refused(Path(f"{tmp_path}/gone.nii#1"), r"gone\.nii could not be read")
    refused(save(tmp_path / "4d.nii", np.zeros((4, 4, 2, 3))), r"4d\.nii holds an array of 4×4×2×3")
    refused(save(tmp_path / "c.nii", np.zeros((4, 4), np.complex64)), "c.nii is a NIfTI of the typ")
    long = save(tmp_path / "long.nii", np.zeros((1, 32767, 1), np.uint8), make=nibabel.Nifti1Image)
    assert read_image(long)[0].shape == (32767, 1)
    wide = np.zeros((1_000_000, 1), np.uint8)
    refused(save(tmp_path / "wide.nii", wide, make=nibabel.Nifti2Image), "wide.nii .*1,000,000×1")


@pytest.mark.parametrize("name", ["cut.nii", "cut.nii.gz"])
@pytest.mark.parametrize("window", [None, (0, 1)])
def test_every_truncation_is_refused_whatever_slice_is_asked_for(tmp_path, name, window):
    path = save(tmp_path / name, VOLUME)
    whole = path.read_bytes()
    for length in [*range(1, len(whole), 37), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(SourceBenchError, match=r"cut\.nii"):
            read_image(Path(f"{path}#0"), window)


def test_a_zipped_volume_is_checked_to_its_end(tmp_path):
    path = save(tmp_path / "a.nii.gz", VOLUME)
    broken = bytearray(path.read_bytes())
    broken[-6] ^= 1  # in the checksum
    path.write_bytes(bytes(broken))
    refused(Path(f"{path}#0"), r"a\.nii\.gz is truncated or damaged: .*CRC")
    assert len(gzip.decompress(save(path, VOLUME).read_bytes())) > VOLUME.nbytes
