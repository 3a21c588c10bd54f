"""What `snakemake check` says of a user's data before anything is made of it."""

import io
import re

import numpy as np
import pandas as pd
import pytest
import yaml
from PIL import Image

from conftest import ROOT, merged, write_pngs
from sourcebench import files
from sourcebench.datasets import check as of_dataset
from sourcebench.datasets.base import build
from sourcebench.design.trial import Trial, report
from sourcebench.study import Study

TASK = {
    "title": "Mine", "dataset": "mine", "input_size": 32, "batch_size": 8, "monitor": "loss",
    "labels": {"from": "metadata", "positive": "Mass", "negative": "None"},
    "samples": {"test": 8, "dev": 16, "positive": 0.5}, "val_fraction": 0.25, "confounders": [],
    "subgroups": ["site"],
}  # fmt: skip


@pytest.fixture
def desk(tmp_path, monkeypatch):
    """Forty images of twenty patients, five of them with something odd."""
    monkeypatch.chdir(tmp_path)
    names = [f"{i:02}.png" for i in range(40)]
    rows = pd.DataFrame({"image_id": names})
    rows["patient_id"] = [f"p{i // 2}" for i in range(40)]
    rows["findings"] = [("Mass", "None")[i // 2 % 2] for i in range(40)]
    rows["site"] = [("Bern", "Rome")[i // 4 % 2] for i in range(40)]
    rows["age"] = range(40)
    rows.loc[[38, 39], "findings"] = None
    rows.loc[[36], "image_id"] = "gone.png"
    files.write_csv("mine.csv", rows)
    write_pngs(tmp_path / "images", names[:30])
    write_pngs(tmp_path / "images", names[30:], size=48)
    return tmp_path


def config(dataset=None, **changes):
    mine = {"kind": "table", "origin": "path", "path": "images", "table": "mine.csv"}
    return {
        "study": "mine",
        "datasets": {"mine": mine | (dataset or {})},
        "tasks": {"mine": TASK | changes},
        "experiment": {
            "tasks": ["mine"], "sources": ["random"], "archs": ["tiny_resnet"], "folds": 2,
            "audit": [],
        },
    }  # fmt: skip


def tried(overlay):
    trials = [Trial(**each) for each in Study.of(merged(overlay)).trials]
    return report(trials, 1, io.StringIO())


def said(**changes):
    """The lines of a report, by what they are about; and the tasks that it refuses."""
    text, refused = tried(config(**changes))
    head, *lines = text.splitlines()
    assert head == "mine, of mine (table, path)"
    return {line[2:14].strip(): line[15:] for line in lines}, refused


def test_what_there_is(desk):
    lines, refused = said()
    assert not refused
    assert lines == {
        "table": "40 rows of 20 patients; image_id, patient_id, age, findings, site",
        "findings": "Mass (20), None (18); nothing is known of 2 images",
        "site": "Bern (20), Rome (20)",
        "files": "40: .png (40)",
        "read": "39 of them: 64×64 px grey (30), 48×48 px grey (9)",
        "CAUTION": "several sizes: give tasks.mine.fit, such as pad",
        "classes": "positive (19), negative (18)",
        "left out": "1 have no file, such as gone.png; 1 files that the table doesn't know; "
        "2 rows of which nothing is known",
        "drawn": "dev (16), test (8), of 38 that the task may use",
        "fold 1": "train (12), val (4)",
        "fold 2": "train (12), val (4)",
        "test, site": lines["test, site"],
    }
    sites = lines["test, site"].replace("(", "").replace(")", "").replace(",", "").split()
    assert sum(map(int, sites[1::2])) == 8


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"labels": {**TASK["labels"], "positive": "Nodule"}}, "labels.positive is 'Nodule'"),
        ({"samples": {**TASK["samples"], "dev": 400}}, "There are too few images for the task"),
        ({"samples": {"column": "set"}}, "samples.column is 'set', which the dataset's metadata"),
        ({"subgroups": ["sites"]}, "tasks.mine.subgroups has 'sites', .* (is it 'site'?)"),
        ({"view": "PA"}, "No positive image is left"),
        ({"val_fraction": 0.01}, "mine: fold 1 would have no image of some class"),
        ({"dataset_": {"table": "no.csv"}}, "datasets.mine.table: there is no file no.csv"),
        ({"dataset_": {"columns": {"age": "years"}}}, "mine.csv lacks the column 'years'"),
    ],
)  # fmt: skip
def test_what_can_not_be_drawn(desk, changes, problem):
    lines, refused = said(dataset=changes.pop("dataset_", None), **changes)
    assert refused == ["mine"]
    for part in problem.split(" .* "):
        assert part in lines["PROBLEM"]


def test_what_a_run_would_stop_at_is_said_unless_the_task_has_a_remedy(desk):
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    Image.fromarray(rgb).save(desk / "images" / "00.png")
    text, refused = tried(config())
    assert not refused  # the task may need none of these
    assert re.findall("CAUTION +(.*)", text) == [
        "several sizes: give tasks.mine.fit, such as pad",
        "grey and colour: give tasks.mine.channels, 1 or 3",
    ]
    assert "CAUTION" not in tried(config(fit="pad", channels=1))[0]
    text, _ = tried(config(fit="pad", channels=6))
    assert re.findall("CAUTION +(.*)", text) == ["images of 1 or 3 channels can't become 6"]


def test_many_sizes_are_told_by_how_far_they_reach(desk):
    for i in range(7):
        write_pngs(desk / "images", [f"{i:02}.png"], size=30 + i)
    Image.new("L", (100, 20)).save(desk / "images" / "00.png")
    assert said(fit="pad")[0]["read"] == "39 of them: grey (39); 31 to 100 px wide, 20 to 64 high"


def test_what_is_held_out_is_told_and_what_becomes_of_its_patients(desk):
    table = pd.read_csv("mine.csv", keep_default_na=False).assign(domain="here")
    table.loc[[0, 2, 3], "domain"] = "there"  # 1 is of the patient of 0, 2 and 3 of one patient
    files.write_csv("mine.csv", table)
    study = config(shifts=["away"])
    study["shifts"] = {"away": {"kind": "acquisition", "values": ["there"]}}
    text, refused = tried(study)
    assert not refused, text
    assert re.findall("held out +(.*)", text) == [
        "away: 3 images of 2 patients",
        "other images of these patients, for the test set alone: 1",
    ]


def test_names_that_are_not_those_of_the_files(desk):
    table = pd.read_csv("mine.csv")
    table["image_id"] = table["image_id"].str.removesuffix(".png")
    files.write_csv("mine.csv", table)
    lines, _ = said()
    assert "has image_id '00', but the folder has '00.png'" in lines["PROBLEM"]
    assert "64×64" in lines["read"]


def test_images_that_can_not_be_read_are_told(desk, monkeypatch):
    for i in range(5):
        (desk / "images" / f"{i:02}.png").write_bytes(b"")
    lines, refused = said()
    assert lines["unreadable"].startswith("5 of 39 that were tried: images/0")
    assert not refused  # the table and the folder agree
    clock = iter([0.0, *range(100, 200)])
    monkeypatch.setattr(of_dataset.time, "monotonic", lambda: next(clock))
    dataset = build("mine", config()["datasets"]["mine"])
    found, _ = dataset.index(desk / "images", desk, 1, io.StringIO())
    read = of_dataset.sample(dataset, found, found["image_id"], 1, 8.0)
    assert len(read.shapes) + len(read.wrong) == 1  # there is no time for a second


def test_phantoms_are_told_of_from_their_table():
    demo = yaml.safe_load((ROOT / "config" / "demo.yaml").read_text())
    text, refused = tried(demo | {"experiment": {**demo["experiment"], "tasks": ["cxr_mass"]}})
    assert not refused
    assert "112,120 rows of 30,805 patients" in text
    assert "not here yet: they are drawn when the study runs" in text
    assert text.count("fold 3") == 1


def test_counts_of_many_values():
    values = np.repeat([*map(str, range(20)), ""], [*range(40, 20, -1), 50])
    text = of_dataset.counted(values, "names")
    assert text.startswith("nothing (50), 0 (40), 1 (39), ")
    assert text.endswith("10 (30) and 9 more names")
