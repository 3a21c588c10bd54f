"""Phantoms of CheXpert lie on disk as CheXpert's images do, and show what its labels say."""

import io

import cv2
import numpy as np
import pytest
from scipy.ndimage import gaussian_filter

from sourcebench.datasets.base import build
from sourcebench.datasets.chexpert.mirror import DRAWN, draw, mirror
from sourcebench.datasets.chexpert.tables import FINDINGS, PATHOLOGIES, metadata
from sourcebench.errors import SourceBenchError
from sourcebench.phantoms.radiograph.findings import FINDINGS as DRAWABLE

FIRST = "train/patient00001/study1/view1_frontal.jpg"


def frontal(n):
    table = metadata()
    return table[table["view"].isin(["AP", "PA"])].iloc[:n]


def test_the_mirror_lies_as_chexpert_does_and_is_read_like_it(tmp_path):
    wanted = frontal(4)
    assert mirror(wanted, tmp_path, 1) == 4
    written = {path: path.read_bytes() for path in tmp_path.rglob("*.jpg")}
    assert {str(path.relative_to(tmp_path)) for path in written} == set(wanted["image_id"])
    assert len(list(tmp_path.rglob("*.*"))) == 4  # nothing half-written stays
    table, _ = build("c", {"kind": "chexpert", "origin": "phantoms"}).index(
        tmp_path, tmp_path, 1, io.StringIO()
    )
    assert set(table["image_id"]) == set(wanted["image_id"])
    originals = [cv2.imread(str(path), cv2.IMREAD_UNCHANGED) for path in written]
    assert {min(image.shape) for image in originals} == {320}
    assert len({image.shape for image in originals}) > 1
    dataset = build("c", {"kind": "chexpert", "origin": "phantoms"})
    assert [dataset.read(path)[0].shape for path in written] == [each.shape for each in originals]


def test_the_mirror_draws_what_is_missing_and_the_same_in_parallel(tmp_path):
    wanted = frontal(3)
    mirror(wanted, tmp_path / "one", 1)
    (tmp_path / "two" / FIRST).parent.mkdir(parents=True)
    (tmp_path / "two" / FIRST).write_bytes(b"already here")
    assert mirror(wanted, tmp_path / "two", 2) == 2
    assert (tmp_path / "two" / FIRST).read_bytes() == b"already here"
    for name in set(wanted["image_id"]) - {FIRST}:
        assert (tmp_path / "one" / name).read_bytes() == (tmp_path / "two" / name).read_bytes()


def test_lateral_views_are_not_drawn(tmp_path):
    with pytest.raises(SourceBenchError, match="Phantoms of CheXpert are frontal, but 1 of the 4"):
        mirror(metadata()[:4], tmp_path, 1)
    assert list(tmp_path.iterdir()) == []


def test_every_observation_has_its_drawing():
    assert set(DRAWN) == set(FINDINGS)
    assert {way for ways in DRAWN.values() for way in ways} <= set(DRAWABLE.names())
    assert all(DRAWN[finding] for finding in PATHOLOGIES)


def xray(finding, patient="patient00007", sex="M", study=1):
    image_id = f"train/{patient}/study{study}/view1_frontal.jpg"
    return draw(image_id, sex, 60, "PA", finding).astype(np.float32)


@pytest.mark.parametrize("finding", PATHOLOGIES)
def test_every_pathology_shows(finding):
    difference = np.abs(xray(finding) - xray("No Finding"))
    assert np.percentile(gaussian_filter(difference, 1), 99.8) > 4


def test_a_wide_mediastinum_is_wide_and_a_fracture_is_small():
    def changed(finding):
        names = [f"patient{number:05d}" for number in range(1, 7)]
        return np.mean([(abs(xray(finding, name) - xray("", name)) > 6).mean() for name in names])

    assert 0.0005 < changed("Fracture") < 0.02
    assert changed("Enlarged Cardiomediastinum") > 2 * changed("Fracture")


def test_unknown_sex_is_drawn_as_either_the_same_for_all_of_a_patients_images():
    for study in (1, 2):
        image = xray("", sex="nan", study=study)
        same = [np.array_equal(image, xray("", sex=sex, study=study)) for sex in ("M", "F")]
        assert sorted(same) == [False, True]
