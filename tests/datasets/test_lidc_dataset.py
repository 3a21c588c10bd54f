"""LIDC-IDRI from the database to grey levels, by each of its ways."""

import io
import shutil

import nibabel
import numpy as np
import pandas as pd
import pytest
import yaml
from nibabel.affines import apply_affine

from conftest import ROOT
from sourcebench.datasets import prepare
from sourcebench.datasets.base import METADATA_COLUMNS, build
from sourcebench.datasets.lidc import annotations
from sourcebench.datasets.lidc.nifti import write_whole_scan
from sourcebench.datasets.origins import retrieve
from sourcebench.design import build as design
from sourcebench.errors import SourceBenchError
from test_nbia import packed

pytest_plugins = ["archive_server"]

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
SPEC = CONFIG["datasets"]["lidc_idri"]
TASK = CONFIG["tasks"]["ct_nodule"]


@pytest.fixture(scope="module")
def metadata():
    return build("lidc_idri", SPEC).metadata()


def manifest(metadata, samples=None, available=None):
    task = {**TASK, "samples": samples or TASK["samples"]}
    return prepare.manifest(
        "ct_nodule", task, metadata, seed=2024, carrier=None, available=available, published=None
    )


def test_the_papers_task_from_the_real_database(metadata):
    """Table 1: 1710 test and 500 development images, half of them positive, 80/20."""
    assert list(metadata.columns[: len(METADATA_COLUMNS)]) == METADATA_COLUMNS
    assert len(metadata) == 243_945
    rows, counts = manifest(metadata)
    assert counts["candidates"] == 2 * 2195
    assert rows["role"].value_counts().to_dict() == {"test": 1710, "dev": 500}
    assert rows.groupby("role")["label"].mean().to_dict() == {"test": 0.5, "dev": 0.5}
    assert (rows.groupby("patient_id")["role"].nunique() == 1).all()
    assert not rows["image_id"].duplicated().any()
    assert {"series_uid", "z", "nodule", "readers", "diameter", "malignancy"} <= set(rows)
    pairs = rows.groupby("pair")
    assert (pairs["series_uid"].nunique() == 1).all()
    apart = pairs["z"].max() - pairs["z"].min()
    assert apart.between(10, 40).all()
    table = design(rows, folds=5, val_fraction=0.2, seed=2024, name="ct_nodule").images
    folds = table.loc[table["role"] == "dev", [f"fold_{k}" for k in range(1, 6)]]
    assert ((folds == "val").sum() == 100).all()
    again, _ = manifest(metadata)
    pd.testing.assert_frame_equal(rows, again)


def test_a_part_of_the_scans_makes_pairs_of_what_is_there(metadata):
    there = metadata[metadata["scan_id"] <= 60]
    rows, counts = manifest(
        metadata, {"test": 20, "dev": 20, "positive": 0.5}, set(there["image_id"])
    )
    assert set(rows["image_id"]) <= set(there["image_id"])
    assert counts["without_image"] > 4000
    assert (rows.groupby("pair")["label"].sum() == 1).all()


@pytest.fixture(scope="module")
def phantoms(metadata, tmp_path_factory):
    """Two pairs' slices as phantoms: the manifest's rows, the folder, and their pixels."""
    rows, _ = manifest(metadata, {"test": 2, "dev": 2, "positive": 0.5})
    folder = tmp_path_factory.mktemp("phantoms")
    dataset = build("lidc_idri", {**SPEC, "origin": "phantoms"})
    index, odd = retrieve(dataset, rows, folder, 1, io.StringIO())
    assert odd["slices"] == 4
    assert sum(odd.values()) == 4
    return rows, folder, pixels(dataset, index)


def pixels(dataset, index):
    return {row.image_id: dataset.read(row.path)[0] for row in index.itertuples()}


def test_phantoms_are_read_as_grey_levels(phantoms):
    rows, _, images = phantoms
    assert set(images) == set(rows["image_id"])
    for image in images.values():
        assert image.shape == (362, 362)
        assert image.dtype == np.uint8
        assert 20 < np.median(image) < 170  # between lung and muscle


def test_a_download_brings_the_same_slices(phantoms, site, tmp_path):
    rows, folder, images = phantoms
    site.lengths, site.ranges, site.version = False, False, None
    for series, files in series_of(folder).items():
        site.files[f"getImageWithMD5Hash?SeriesInstanceUID={series}"] = packed(files)
    dataset = build("lidc_idri", {**SPEC, "origin": "download", "url": site.url})
    index, _ = retrieve(dataset, rows, tmp_path, 1, io.StringIO())
    theirs = pixels(dataset, index)
    assert all(np.array_equal(images[name], theirs[name]) for name in images)
    site.requests.clear()
    retrieve(dataset, rows, tmp_path, 1, io.StringIO())
    assert not site.requests


def series_of(folder):
    """Series → {file name: bytes} of a folder of phantoms."""
    series = {}
    for path in sorted(folder.rglob("*.dcm")):
        series.setdefault(path.parent.name, {})[path.name] = path.read_bytes()
    return series


def test_ones_own_copy_in_any_layout(phantoms, tmp_path):
    """Other names, one folder, hidden files, a file twice: found by the headers, and counted."""
    rows, folder, images = phantoms
    mine = tmp_path / "mine"
    mine.mkdir()
    files = sorted(folder.rglob("*.dcm"))
    for number, path in enumerate(files):
        shutil.copy(path, mine / f"IM{number:05d}")
        (mine / f"._IM{number:05d}").write_bytes(b"\x00\x05\x16\x07 of macOS")
    shutil.copy(files[0], mine / "again.dcm")
    (mine / "LICENSE").write_text("read me")
    dataset = build("lidc_idri", {**SPEC, "origin": "path", "path": str(mine)})
    index, odd = retrieve(dataset, rows, tmp_path / "cache", 1, io.StringIO())
    assert (odd["hidden"], odd["other"], odd["copies"], odd["rivals"]) == (4, 1, 1, 0)
    theirs = pixels(dataset, index)
    assert all(np.array_equal(images[name], theirs[name]) for name in images)

    (mine / "IM00002").unlink()
    with pytest.raises(SourceBenchError, match=r"1 of 4 images are missing in .*mine"):
        retrieve(dataset, rows, tmp_path / "cache", 1, io.StringIO())


def test_a_whole_scan_with_its_readers_marks(metadata, tmp_path):
    """The annotated scan with the fewest slices, which is soon drawn."""
    marked = set(annotations.nodules()["scan_id"])
    sizes = metadata.groupby("scan_id").size()
    scan_id = int(sizes[sizes.index.isin(marked)].idxmin())
    rows = metadata[metadata["scan_id"] == scan_id]
    dataset = build("lidc_idri", {**SPEC, "origin": "phantoms"})
    index, _ = retrieve(dataset, rows, tmp_path, 1, io.StringIO())
    scan, readers = (
        nibabel.load(path) for path in write_whole_scan(scan_id, index, tmp_path / "nifti")
    )
    assert scan.shape == readers.shape == (512, 512, len(rows))
    most = annotations.nodules().query("scan_id == @scan_id")["readers"].max()
    marks = readers.get_fdata()
    assert marks.max() == most
    zs = apply_affine(scan.affine, [[0, 0, k] for k in range(len(rows))])[:, 2]
    np.testing.assert_allclose(zs, np.sort(rows["z"]), atol=0.1)
    drawn = set(annotations.contours([scan_id])["k"])
    assert set(np.flatnonzero(marks.any(axis=(0, 1)))) <= drawn

    with pytest.raises(SourceBenchError, match=f"lacks 2 of its {len(rows)} slices"):
        write_whole_scan(scan_id, index[2:], tmp_path / "other")
    with pytest.raises(SourceBenchError, match="from 1 to 1018"):
        write_whole_scan(2000, index, tmp_path / "other")
    assert not (tmp_path / "other").exists()


def test_pairs_are_drawn_whole(metadata):
    rows, _ = manifest(metadata, {"test": 30, "dev": 10, "positive": 0.5})
    assert (rows.groupby("pair").size() == 2).all()
    with pytest.raises(SourceBenchError, match="too few images"):
        manifest(metadata, {"test": 4000, "dev": 4000, "positive": 0.5})
