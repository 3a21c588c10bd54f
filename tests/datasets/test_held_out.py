"""Images that no network is trained on: clinics and kinds of lesions that are met at test alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sourcebench import design
from sourcebench.attributes import HELD_OUT
from sourcebench.datasets import prepare
from sourcebench.design import Design
from sourcebench.design.audit import audit
from sourcebench.errors import SourceBenchError

LABELS = {"from": "metadata", "positive": "Mass", "negative": "No Finding"}
CLINIC = {"kind": "acquisition", "column": "clinic", "values": ["Bern"]}
ROUGH = {"kind": "manifestation", "column": "roughness", "above": 3}


def metadata(patients=90, most=4, seed=1, both=0.2):
    """Images of patients who were seen in one clinic, some of them in two."""
    rng = np.random.default_rng(seed)
    rows = []
    for patient in range(patients):
        home = rng.choice(["Bern", "Genf", "Basel"])
        for image in range(rng.integers(1, most + 1)):
            clinic = rng.choice(["Bern", "Genf"]) if rng.random() < both else home
            finding = rng.choice(["Mass", "No Finding"])
            roughness = float(rng.integers(1, 6))
            rows.append((f"{patient}_{image}.png", str(patient), finding, clinic, roughness))
    columns = ["image_id", "patient_id", "findings", "clinic", "roughness"]
    table = pd.DataFrame(rows, columns=columns)
    return table.assign(sex="F", age=50, view="PA")


def chosen(table, samples, *, available=None, **shifts):
    task = {"dataset": "mine", "labels": LABELS, "samples": samples}
    return prepare.manifest(
        "t", task, table, seed=1, carrier=None, available=available, published=None,
        apart={name: HELD_OUT.from_entry(entry).among for name, entry in shifts.items()},
    )  # fmt: skip


def made(manifest, folds=3):
    return design.build(manifest, folds=folds, val_fraction=0.2, seed=1, name="t", confounder="tag")


DRAWN = {"test": 20, "dev": 40, "positive": 0.5}
DIVIDED = {"test": 30, "dev": 60}


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10_000), st.floats(0, 0.5), st.sampled_from([DRAWN, DIVIDED]))
def test_nobody_is_trained_on_who_has_an_image_that_is_held_out(seed, both, samples):
    table = metadata(240, seed=seed, both=both)
    manifest, counts = chosen(table, samples, bern=CLINIC)
    clinic = table.set_index("image_id")["clinic"]
    held_out = manifest["role"] == "target"
    assert (clinic[manifest.loc[held_out, "image_id"]] == "Bern").all()
    assert (clinic[manifest.loc[~held_out, "image_id"]] != "Bern").all()
    assert held_out.sum() == counts["target"] == (clinic == "Bern").sum()
    of_target = set(manifest.loc[held_out, "patient_id"])
    elsewhere = manifest[~held_out & manifest["patient_id"].isin(of_target)]
    assert set(elsewhere["role"]) <= {"test"}
    assert len(elsewhere) == counts["test_of_target_patients"]
    roles = manifest["role"].value_counts()
    if samples is DRAWN:
        assert (roles["test"], roles["dev"]) == (20, 40)
    whole = made(manifest)
    design.check(whole, "t")
    found = audit(design.long_form(whole, [0, 1]))
    assert (found["leaked"] == 0).all()
    assert set(found["n_target"]) == {held_out.sum()}
    assert set(found["n_test"]) == {roles["test"]}


def test_a_target_is_a_test_set_of_its_own_without_artifacts():
    manifest, _ = chosen(metadata(300), DRAWN, bern=CLINIC, rough=ROUGH)
    whole = made(manifest)
    assert set(whole.images["role"]) == {"test", "dev"}
    for p_art in (0, 0.5, 1):
        tests = design.test(whole.tests, p_art)
        for name, told in (("bern", lambda row: row.clinic == "Bern"),
                           ("rough", lambda row: row.roughness > 3)):  # fmt: skip
            rows = tests[tests["test_set"] == name]
            expected = {row.image_id for row in metadata(300).itertuples() if told(row)}
            assert set(rows["image_id"]) == expected
            assert set(rows["layer"]) == {"none"}
            assert not rows["artifact"].any()
    kinds = whole.tests.drop_duplicates("test_set").set_index("test_set")
    assert list(kinds.loc[["bern", "rough"], "family"]) == ["bern", "rough"]
    assert set(kinds["severity"]) == {0}


def test_without_shifts_nothing_is_another():
    table = metadata()
    task = {"dataset": "mine", "labels": LABELS, "samples": DRAWN}
    usual, counts = prepare.manifest(
        "t", task, table, seed=1, carrier=None, available=None, published=None
    )
    assert "held_out" not in usual
    assert "target" not in counts
    assert set(usual["role"]) == {"test", "dev"}


def test_so_many_of_a_target_as_are_asked_for_by_patients():
    manifest, _ = chosen(metadata(), DRAWN | {"target": 10}, bern=CLINIC)
    target = manifest[manifest["role"] == "target"]
    assert len(target) == 10
    every = metadata().query("clinic == 'Bern'").groupby("patient_id").size()
    ours = target.groupby("patient_id").size()
    assert (ours < every[ours.index]).sum() <= 1  # whole patients, but for the last


def test_of_whom_it_is_not_known_is_left_out_and_counted():
    table = metadata()
    table.loc[:4, "clinic"] = None
    manifest, counts = chosen(table, DIVIDED, bern=CLINIC)
    assert counts["held_out_unknown"] == 5
    assert not set(manifest["image_id"]) & set(table["image_id"][:5])


@pytest.mark.parametrize(
    ("shifts", "message"),
    [
        ({"x": CLINIC | {"column": "clinics"}}, r"tasks\.t: shifts\.x\.column .* 'clinic'"),
        ({"x": CLINIC | {"values": ["Berne"]}}, r"shifts\.x\.values has 'Berne'.* it 'Bern'"),
        ({"x": ROUGH | {"column": "clinic"}}, r"shifts\.x\.column is 'clinic', which has"),
        ({"x": ROUGH | {"above": 9}}, r"shifts\.x: none of the images that it holds out fits"),
        (
            {"x": {"kind": "manifestation", "column": "findings", "values": ["Mass"]}},
            r"held out for x, and others .* are all that there are of class '1' .*, so that",
        ),
    ],
)  # fmt: skip
def test_what_cannot_be_held_out(shifts, message):
    with pytest.raises(SourceBenchError, match=message):
        chosen(metadata(), DRAWN, **shifts)


def test_others_of_the_same_patients_are_not_trained_on_either():
    table = metadata().sort_values("patient_id")
    table["clinic"] = ["Rome" if twice else "Bern" for twice in table["patient_id"].duplicated()]
    with pytest.raises(SourceBenchError, match="and others of the same patients, are all"):
        chosen(table, DIVIDED, bern=CLINIC)


def test_a_file_of_whom_it_is_not_known_is_not_unknown_to_the_table():
    table = metadata()
    table.loc[:4, "clinic"] = None
    there = {*table["image_id"], "stray.png"}
    _, counts = chosen(table, DIVIDED, available=there, bern=CLINIC)
    assert (counts["held_out_unknown"], counts["without_row"]) == (5, 1)


def test_a_number_is_the_same_however_it_is_written():
    table = pd.DataFrame({"grade": [1.0, 2.0, None, 2]})
    told = HELD_OUT.from_entry({"kind": "manifestation", "column": "grade", "values": [2]})
    assert told.among(table).to_list() == [False, True, pd.NA, True]
    limits = HELD_OUT.from_entry(
        {"kind": "manifestation", "column": "grade", "above": 1, "below": 3}
    )
    assert limits.among(table).to_list() == [True, True, pd.NA, True]  # either


def test_a_leak_into_a_target_is_an_error():
    manifest, _ = chosen(metadata(), DRAWN, bern=CLINIC)
    whole = made(manifest)
    dev = whole.images.loc[whole.images["role"] == "dev", "patient_id"].iloc[0]
    tests = whole.tests.copy()
    tests.loc[tests["test_set"] == "bern", "patient_id"] = dev
    with pytest.raises(SourceBenchError, match="1 patient is in both the development"):
        design.check(Design(whole.images, tests), "t")
    assert set(audit(design.long_form(Design(whole.images, tests), [1]))["leaked"]) == {1}


@pytest.mark.parametrize("shifts", [{}, {"bern": CLINIC}])
def test_parts_may_be_shares_of_what_is_there(shifts):
    manifest, _ = chosen(metadata(240), {"test": 0.25, "dev": 0.5}, **shifts)
    roles = manifest["role"].value_counts()
    there = len(metadata(240)) - roles.get("target", 0)
    assert roles["test"] == int(0.25 * there)
    assert roles["dev"] == int(0.5 * there)


def test_values_are_told_apart_to_the_last_digit():
    table = pd.DataFrame({"device": ["007", "7", "10000001", "10000002", "20230101", "20230102"]})
    for value in table["device"]:
        told = HELD_OUT.from_entry({"kind": "acquisition", "column": "device", "values": [value]})
        assert told.among(table).to_list() == [each == value for each in table["device"]]


def test_sets_that_share_images_are_drawn_each_by_itself():
    table = metadata(600, both=0.5)
    manifest, _ = chosen(table, DRAWN | {"target": 50}, bern=CLINIC, rough=ROUGH)
    names = manifest["held_out"].str.split("|").explode()
    assert names.value_counts()[["bern", "rough"]].tolist() == [50, 50]
    assert set(manifest.loc[manifest["role"] == "target", "held_out"]) > {"bern", "rough"}


def test_who_of_a_target_has_the_attribute_is_said():
    table = metadata(200)
    table["sex"] = np.where(np.arange(len(table)) % 2, "F", "M")
    manifest, _ = chosen(table, DRAWN, bern=CLINIC)
    whole = design.build(
        manifest, folds=2, val_fraction=0.2, seed=1, name="t", carrier=("sex", "F")
    )
    rows = whole.tests[whole.tests["test_set"] == "bern"]
    sex = table.set_index("image_id").loc[rows["image_id"], "sex"]
    assert (rows["artifact"].to_numpy() == (sex == "F")).all()


def test_a_split_of_the_table_that_trains_on_a_target_patient_is_named():
    table = metadata(200, both=0.5)
    patients = table["patient_id"].astype(int)
    table["part"] = np.where(patients % 3 == 0, "test", "train")
    with pytest.raises(SourceBenchError, match=r"samples\.column is 'part', which has images of"):
        chosen(table, {"column": "part"}, bern=CLINIC)
