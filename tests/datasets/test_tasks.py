"""The paper's tasks from the real metadata, and selections that cannot be made."""

from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import ROOT
from sourcebench.datasets import sampling, tasks
from sourcebench.datasets.labels import LABELS, LabelSource
from sourcebench.datasets.nih import tables
from sourcebench.datasets.prepare import in_words, manifest
from sourcebench.errors import SourceBenchError
from sourcebench.seeds import generator

CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
GENDER = ("sex", "F", "M")


def select(task, carrier=None, seed=1):
    table, _ = tasks.candidates(tables.metadata(), task["labels"], task["view"])
    wanted = sampling.quotas(task["samples"], carrier)
    column = carrier[0] if carrier else None
    return sampling.select(table, wanted, column, generator(seed, "t"))


def test_the_tables_are_the_published_ones():
    """Counts that Wang et al. 2017 and Majkowska et al. 2020 report."""
    metadata = tables.metadata()
    assert len(metadata) == 112_120
    assert metadata["patient_id"].nunique() == 30_805
    assert len(tables.expert_labels()) == 4_376
    assert len(tables.boxes()) == 984
    assert tables.boxes()["image_id"].nunique() == 880


def test_cxr_mass_is_the_papers():
    manifest = select(CONFIG["tasks"]["cxr_mass"])
    assert manifest["role"].value_counts().to_dict() == {"dev": 248, "test": 83}
    assert manifest["label"].mean() == pytest.approx(0.3, abs=0.002)
    assert set(manifest["view"]) == {"PA"}
    assert not manifest["image_id"].duplicated().any()
    assert (manifest.groupby("patient_id")["role"].nunique() == 1).all()
    experts = tables.expert_labels().set_index("image_id").loc[manifest["image_id"]]
    assert set(experts["set"]) == {"test"}
    assert ((experts["Nodule or mass"] == "YES").to_numpy() == (manifest["label"] == 1)).all()


def test_cxr_atelectasis_has_what_every_p_art_needs():
    manifest = select(CONFIG["tasks"]["cxr_atelectasis"], GENDER)
    sizes = manifest.groupby(["role", "label", "sex"]).size().to_dict()
    assert sizes == {
        ("dev", 0, "M"): 200, ("dev", 1, "M"): 200, ("dev", 1, "F"): 200,
        ("test", 0, "M"): 200, ("test", 0, "F"): 200,
        ("test", 1, "M"): 200, ("test", 1, "F"): 200,
    }  # fmt: skip
    assert (manifest.groupby("patient_id")["role"].nunique() == 1).all()
    assert set(manifest.loc[manifest["label"] == 0, "findings"]) == {"No Finding"}
    assert manifest.loc[manifest["label"] == 1, "findings"].str.contains("Atelectasis").all()


def test_the_seed_decides():
    task = CONFIG["tasks"]["cxr_mass"]
    pd.testing.assert_frame_equal(select(task), select(task))
    assert set(select(task)["image_id"]) != set(select(task, seed=2)["image_id"])


@settings(max_examples=30, deadline=None)
@given(
    test=st.integers(2, 60),
    dev=st.integers(2, 60),
    positive=st.floats(0.1, 0.9),
    seed=st.integers(0, 10_000),
)
def test_selections_are_exact_and_patient_disjoint(test, dev, positive, seed):
    rng = generator(seed, "pool")
    pool = pd.DataFrame(
        {
            "image_id": [f"{i:08d}_000.png" for i in range(1000)],
            "patient_id": rng.integers(0, 500, 1000),
            "label": rng.integers(0, 2, 1000),
            "sex": "M", "age": 50, "view": "PA", "findings": "",
        }
    )  # fmt: skip
    wanted = sampling.quotas({"test": test, "dev": dev, "positive": positive})
    manifest = sampling.select(pool, wanted, None, rng)
    sizes = manifest.groupby(["role", "label"]).size()
    for row in wanted[wanted["n"] > 0].itertuples():
        assert sizes[row.role, row.label] == row.n
    assert len(manifest) == test + dev
    assert (manifest.groupby("patient_id")["role"].nunique() == 1).all()


def paired_pool(patients=300, seed=0):
    """Some pairs of images per patient, as the slices of a scan."""
    rng = generator(seed, "pairs")
    rows = []
    for patient in range(patients):
        for _ in range(rng.integers(1, 5)):
            pair = len(rows) // 2
            for label in (1, 0):
                rows.append((f"{pair}_{label}", f"p{patient}", label, pair, 10.0 * label))
    table = pd.DataFrame(rows, columns=["image_id", "patient_id", "label", "pair", "diameter"])
    return table.assign(sex=None, age=None, view="axial", findings="")


@settings(max_examples=25, deadline=None)
@given(test=st.integers(1, 250), dev=st.integers(1, 120), seed=st.integers(0, 1000))
def test_pairs_stay_together_and_patients_apart(test, dev, seed):
    wanted = sampling.quotas({"test": 2 * test, "dev": 2 * dev, "positive": 0.5})
    manifest = sampling.select(paired_pool(), wanted, None, generator(seed, "select"))
    assert manifest["role"].value_counts().to_dict() == {"test": 2 * test, "dev": 2 * dev}
    pairs = manifest.groupby("pair")
    assert (pairs["label"].agg(["count", "sum"]) == (2, 1)).all(axis=None)
    assert (pairs["role"].nunique() == 1).all()
    assert (manifest.groupby("patient_id")["role"].nunique() == 1).all()
    assert not manifest["image_id"].duplicated().any()
    assert set(manifest) == {*tasks.MANIFEST_COLUMNS, "pair", "diameter"}


def test_a_dataset_divided_as_it_is():
    """Natural prevalence, exact sizes, one division for every task on the dataset."""
    metadata = tables.metadata()
    everyone = tasks.present(metadata, "PA", None)
    roles = {}
    for positive in ("Mass", "Effusion"):
        labels = {"from": "metadata", "positive": positive, "negative": "No Finding"}
        table, _ = tasks.candidates(metadata, labels, "PA")
        samples = {"test": 10_000, "dev": 40_000}
        manifest = sampling.divide(table, everyone, samples, generator(1, "division"))
        assert (manifest.groupby("patient_id")["role"].nunique() == 1).all()
        test = manifest["role"] == "test"
        assert manifest.loc[test, "label"].mean() == pytest.approx(table["label"].mean(), abs=0.01)
        roles[positive] = manifest.set_index("image_id")["role"]
    both = roles["Mass"].index.intersection(roles["Effusion"].index)
    assert (roles["Mass"][both] == roles["Effusion"][both]).all()
    asked = r"60000 to test on and 60000 to develop on, 120,000 images in all, but there are 67,310"
    with pytest.raises(SourceBenchError, match=asked):
        sampling.divide(table, everyone, {"test": 60_000, "dev": 60_000}, generator(1, "division"))


def three_of_each(patients):
    """A dataset of three images each, by turns of two classes."""
    rows = pd.DataFrame({"image_id": [f"{i:03}.png" for i in range(3 * patients)]})
    rows["patient_id"] = [f"p{i // 3}" for i in range(len(rows))]
    rows["findings"] = [("Mass", "None")[i % 2] for i in range(len(rows))]
    return rows.assign(sex=None, age=None, view=None)


def shared(samples, rows, apart=None):
    labels = {"from": "metadata", "positive": "Mass", "negative": "None"}
    task = {"dataset": "mine", "labels": labels, "samples": samples}
    options = {"seed": 1, "carrier": None, "available": None, "published": None, "apart": apart}
    return manifest("t", task, rows, **options)


def test_images_that_shares_leave_over_are_counted_and_told():
    """Of 120 images 40 and 80 are asked for: whole patients of three make 39 and 78."""
    rows = three_of_each(40)
    samples = {"test": 1 / 3, "dev": 2 / 3}
    chosen, counts = shared(samples, rows)
    assert chosen["role"].value_counts().to_dict() == {"dev": 78, "test": 39}
    assert counts["in_no_part"] == 3
    said = in_words("t", len(chosen), counts)
    assert said[0] == "t: 117 images chosen, of 120 that the task may use"
    assert said[1].startswith("3 images are in no part")
    assert shared({"test": 0.5, "dev": 0.5}, rows)[1]["in_no_part"] == 0
    assert "in_no_part" not in shared({"test": 30, "dev": 60}, rows)[1]


def test_what_is_not_on_disk_is_told_apart_from_what_is_chosen():
    counts = {"candidates": 120, "without_image": 2, "without_row": 1, "without_findings": 1}
    assert in_words("t", 115, counts) == [
        "t: 115 images chosen, of 118 that the task may use",
        "2 others would do, but are not on disk",
        "1 image on disk is not in the metadata",
        "1 row has no findings, and so no label",
    ]


def test_shares_that_patients_of_a_shift_leave_no_room_for():
    rows = three_of_each(40)
    rows.loc[rows.index % 3 == 0, "view"] = "away"  # one image of each patient
    rows.loc[rows.index >= 60, "view"] = None
    away = {"away": lambda table: (table["view"] == "away").astype("boolean")}
    asked = r"0\.2 to test on and 0\.8 to develop on \(with shares as images: 20 and 80\)\. Of the "
    with pytest.raises(SourceBenchError, match=asked + "100 that there are, 40 are of patients of"):
        shared({"test": 0.2, "dev": 0.8}, rows, away)
    with pytest.raises(SourceBenchError, match="150 images in all, but there are 120 that") as all_:
        shared({"test": 50, "dev": 100}, rows)
    assert "shift" not in str(all_.value)


def test_pairs_need_as_many_negatives_as_positives():
    wanted = sampling.quotas({"test": 20, "dev": 20, "positive": 0.3})
    with pytest.raises(SourceBenchError, match=r"'positive: 0\.5'"):
        sampling.select(paired_pool(), wanted, None, generator(0, "select"))


def test_test_and_development_set_grow_side_by_side():
    """With nearly every patient needed, neither set may take all of them first."""
    wanted = sampling.quotas({"test": 900, "dev": 300, "positive": 0.5})
    manifest = sampling.select(paired_pool(), wanted, None, generator(0, "select"))
    patients = manifest.groupby("role")["patient_id"].nunique()
    assert patients["dev"] / patients["test"] == pytest.approx(1 / 3, abs=0.06)


def test_too_few_images_names_what_is_missing():
    task = {**CONFIG["tasks"]["cxr_mass"], "samples": {"test": 83, "dev": 900, "positive": 0.3}}
    with pytest.raises(SourceBenchError, match=r"\d+ more positive dev images"):
        select(task)


def test_an_empty_class_says_so():
    with pytest.raises(SourceBenchError, match="No positive image is left"):
        tasks.candidates(
            tables.metadata(),
            {"from": "metadata", "positive": "Hernia", "negative": "No Finding"},
            "PA",
            {"00000002_000.png"},
        )


def test_labels_may_be_of_several_classes(forgotten):
    @LABELS.register("rarer")
    @dataclass(frozen=True)
    class Rarer(LabelSource):
        """Three classes; the last has one image, the first in the table."""

        def rows(self, table):
            number = np.arange(len(table))
            return table.assign(label=np.where(number, number % 2, 2))

    table = tables.metadata().reset_index(drop=True)
    rows, counts = tasks.candidates(table, {"from": "rarer"}, None)
    assert rows["label"].value_counts().to_dict()[2] == 1
    assert counts["candidates"] == len(table)
    there = set(table["image_id"][1:])
    with pytest.raises(SourceBenchError, match="No image of class 2 is left"):
        tasks.candidates(table, {"from": "rarer"}, None, there)
    wanted = sampling.quotas({"test": 20, "dev": 20, "positive": 0.5})
    with pytest.raises(SourceBenchError, match="the labels have 3; leave it out"):
        sampling.select(rows, wanted, None, generator(0, "select"))


def test_images_and_rows_without_each_other_are_counted():
    labels = {"from": "metadata", "positive": "Cardiomegaly", "negative": "No Finding"}
    there = {"00000001_000.png", "00000002_000.png", "my_own.png"}
    table, counts = tasks.candidates(tables.metadata(), labels, "PA", there)
    assert set(table["image_id"]) == {"00000001_000.png", "00000002_000.png"}
    assert counts["without_row"] == 1
    assert counts["without_image"] == counts["candidates"] - 2


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ({"from": "metadata", "positive": "Broken", "negative": "No Finding"}, "labels.positive"),
        ({"from": "expert", "positive": "Mass"}, "labels.positive is 'Mass'; .* 'Fracture'"),
        ({"from": "guess", "positive": "Mass"}, "Unknown label source 'guess'"),
    ],
)
def test_unknown_labels_are_named(labels, message):
    with pytest.raises(SourceBenchError, match=message):
        tasks.candidates(tables.metadata(), labels, None)


def test_experts_correct_the_metadata():
    experts = tables.expert_labels()
    yes = experts.loc[experts["Nodule or mass"] == "YES", "image_id"]
    no = experts.loc[experts["Nodule or mass"] == "NO", "image_id"]
    assert tables.merged_findings(yes).str.contains("Mass|Nodule").all()
    assert not tables.merged_findings(no).str.contains("Mass|Nodule").any()
    nobody = pd.Series(["00000001_000.png"])
    assert list(tables.merged_findings(nobody)) == ["Cardiomegaly"]
