"""Attributes that images are sampled by, and those that are made from a column."""

import numpy as np
import pandas as pd
import pytest

from conftest import merged
from sourcebench import design
from sourcebench.attributes import ATTRIBUTES
from sourcebench.datasets.prepare import manifest
from sourcebench.errors import SourceBenchError
from sourcebench.study import Dependencies, Study
from sourcebench.traits import MICCAT

LABELS = {"from": "metadata", "positive": "Nodule", "negative": "None"}
TASK = {"dataset": "mine", "labels": LABELS, "samples": {"test": 16, "dev": 24, "positive": 0.5}}


def metadata(**columns):
    rows = pd.DataFrame({"image_id": [f"{i:03}.png" for i in range(160)]})
    rows["patient_id"] = rows["image_id"]
    rows["findings"] = np.where(np.arange(160) % 2, "Nodule", "None")
    return rows.assign(sex=None, view=None, **columns)


def chosen(table, kind):
    trait = ATTRIBUTES.build(kind)
    carrier = (trait.named, trait.carrier, trait.other)
    found, _ = manifest(
        "t", TASK, table, seed=1, carrier=carrier, available=None, published=None,
        derive=trait.added,
    )  # fmt: skip
    return found, carrier


def test_every_family_of_patients_has_two():
    found = [ATTRIBUTES.get(name).taxon for name in ATTRIBUTES.names()]
    for family in MICCAT["patient"]:
        assert [taxon.family for taxon in found].count(family) >= 2


def test_age_groups_are_apart():
    trait = ATTRIBUTES.build("age_group", young="30", old=50)
    ages = pd.Series(["0", "29.9", "30", None, "49", "50", "101"])
    groups = trait.values(ages)
    assert groups.fillna("").tolist() == ["young", "young", "", "", "", "old", "old"]
    assert trait.values(ages.astype(float)).equals(groups)


def test_patients_are_sampled_by_their_age():
    ages = np.tile(np.repeat(np.arange(20, 100, 10), 2), 10)
    found, carrier = chosen(metadata(age=ages), "age_group")
    assert carrier == ("age_group", "old", "young")
    age = found["age"].astype(int)
    assert (age[found["age_group"] == "old"] >= 60).all()
    assert (age[found["age_group"] == "young"] < 40).all()
    sizes = found.groupby(["role", "label", "age_group"]).size().to_dict()
    assert sizes == {
        ("dev", 0, "young"): 12, ("dev", 1, "young"): 12, ("dev", 1, "old"): 12,
        ("test", 0, "young"): 8, ("test", 0, "old"): 8,
        ("test", 1, "young"): 8, ("test", 1, "old"): 8,
    }  # fmt: skip
    made = design.build(
        found, folds=2, val_fraction=0.5, seed=1, name="t", carrier=("age_group", "old")
    )
    ood = made.tests[made.tests["test_set"] == "ood"]
    carries = ood["image_id"].map(age.set_axis(found["image_id"])) >= 60
    assert (carries == (ood["label"] == 0)).all()


@pytest.mark.parametrize("kind", ["body_site", "laterality"])
def test_anatomy_goes_by_a_column(kind):
    trait = ATTRIBUTES.build(kind)
    values = np.tile(np.repeat([trait.carrier, trait.other], 2), 40)
    found, _ = chosen(metadata(age=None, **{kind: values}), kind)
    assert found.groupby(["role", "label", kind]).size().to_dict()["dev", 1, trait.carrier] == 12
    with pytest.raises(SourceBenchError, match=f"column is '{kind}', which the dataset's metadata"):
        chosen(metadata(age=None), kind)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (metadata(age="045Y"), r"tasks\.t: the column 'age' has '045Y' in 160 rows, .* in years"),
        (metadata(), r"by the column 'age', which .* does not have; there are: image_id, "),
        (metadata(ages=30), r"'age', which .* \(is it 'ages'\?\)"),
        (metadata(age=None), "whose age_group is 'old', but there is none .* is empty"),
        (
            metadata(age=30, age_group="x"),
            "has one; sample by that, as in {kind: gender, column: a",
        ),
    ],
)
def test_ages_that_can_not_be(table, message):
    with pytest.raises(SourceBenchError, match=message):
        chosen(table, "age_group")


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ({"young": 70}, "who is under 70 is young and who is 60 is old, so that some are both"),
        ({"carrier": "aged"}, r"age\.carrier is 'aged'; it must be 'old' or 'young'"),
        ({"carrier": "young"}, "carrier and other are both 'young'"),
    ],
)
def test_groups_that_can_not_be(entry, message):
    with pytest.raises(SourceBenchError, match=message):
        ATTRIBUTES.from_entry({"kind": "age_group", **entry}, "confounders.age")


def decides(**entry):
    overlay = {
        "confounders": {"gender": {"kind": "age_group", "title": "Age", **entry}},
        "experiment": {"tasks": ["cxr_atelectasis"]},
    }
    config = merged(overlay)
    config["confounders"]["gender"] = overlay["confounders"]["gender"]
    config["tasks"]["cxr_atelectasis"].pop("splits", None)
    return Dependencies(Study.of(config)).manifest("cxr_atelectasis")


def test_the_ages_decide_who_is_sampled():
    assert decides() == decides(title="Years") == decides(young=40)
    assert len({decides(), decides(young=39), decides(old=61), decides(column="sex")}) == 4
