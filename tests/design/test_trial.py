"""What `snakemake check` says of a user's data before anything is made of it."""

import io
import re

import nibabel
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
    assert head == "mine (table, path)"
    lines.remove("mine, of mine")
    return {line[2:14].strip(): line[15:] for line in lines}, refused


def test_what_there_is(desk):
    lines, refused = said(fit="pad")
    assert not refused
    assert lines == {
        "table": "40 rows of 20 patients; image_id, patient_id, age, findings, site",
        "findings": "Mass (20), None (18); nothing is known of 2 images",
        "site": "Bern (20), Rome (20)",
        "files": "40: .png (40)",
        "read": lines["read"],
        "CAUTION": "fewer than 30 images, of which little can be said: test (8), val of fold 1 (4),"
        " val of fold 2 (4)",
        "classes": "positive (19), negative (18)",
        "left out": "1 has no file, such as gone.png; 1 file that the table doesn't know; "
        "2 rows of which nothing is known",
        "drawn": "dev (16), test (8), of 37 that the task may use",
        "fold 1": "train (12), val (4)",
        "fold 2": "train (12), val (4)",
        "test, site": lines["test, site"],
    }
    sites = lines["test, site"].replace("(", "").replace(")", "").replace(",", "").split()
    assert sum(map(int, sites[1::2])) == 8
    assert lines["read"].startswith("all 24 that tasks use: 64×64 px grey (")


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
    text, refused = tried(config(changes.pop("dataset_", None), fit="pad", **changes))
    assert refused == ["mine"]
    told = re.findall("PROBLEM +(.*)", text)
    assert all(part in told[0] for part in problem.split(" .* "))
    assert told[1:] in ([], ["a run would stop at mine: see above"])


def test_what_a_run_would_stop_at_is_a_problem_unless_the_task_has_a_remedy(desk):
    rgb = np.random.default_rng(0).integers(0, 256, (64, 64, 3), np.uint8)
    for i in range(38):  # half of the images that may be drawn
        if i % 2:
            Image.fromarray(rgb).save(desk / "images" / f"{i:02}.png")
    text, refused = tried(config())
    assert refused == ["mine"]
    assert re.findall("PROBLEM +(.*)", text) == [
        "images of several sizes: give tasks.mine.fit, such as pad",
        "grey images and others of colour: give tasks.mine.channels, 1 or 3",
    ]
    text, refused = tried(config(fit="pad", channels=1))
    assert "PROBLEM" not in text
    assert not refused
    text, refused = tried(config(fit="pad", channels=4))
    assert refused == ["mine"]
    said = "tasks.mine.channels is 4, which images of 1 or 3 can't become; possible: 1 or 3"
    assert re.findall("PROBLEM +(.*)", text) == [said]


def test_many_sizes_are_told_by_how_far_they_reach(desk):
    for i in range(40):
        write_pngs(desk / "images", [f"{i:02}.png"], size=30 + i)
    sizes = re.fullmatch(
        r"all 24 that tasks use: grey \(24\); (\d+) to (\d+) px wide, (\d+) to (\d+) high",
        said(fit="pad")[0]["read"],
    )
    assert 30 <= int(sizes[1]) == int(sizes[3]) < int(sizes[2]) == int(sizes[4]) < 70


def test_what_is_held_out_is_told_and_what_becomes_of_its_patients(desk):
    table = pd.read_csv("mine.csv", keep_default_na=False).assign(domain="here")
    table.loc[[0, 2, 3], "domain"] = "there"  # 1 is of the patient of 0, 2 and 3 of one patient
    files.write_csv("mine.csv", table)
    study = config(shifts=["away"], fit="pad")
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
    for i in range(38):
        (desk / "images" / f"{i:02}.png").write_bytes(b"")
    lines, refused = said()
    assert refused == ["mine"]
    assert lines["PROBLEM"] == "24 images of it can't be read: see above"
    text, _ = tried(config())
    some = re.search(r"PROBLEM +24 of 24 images that were tried can't be read: (.*), …\n", text)
    assert len(some[1].split(", ")) == 5
    assert text.count("unreadable") == 1
    clock = iter([0.0, *range(100, 200)])
    monkeypatch.setattr(of_dataset.time, "monotonic", lambda: next(clock))
    dataset = build("mine", config()["datasets"]["mine"])
    found, _ = dataset.index(desk / "images", desk, 1, io.StringIO())
    read = of_dataset.sample(dataset, found, found["image_id"], 1, 8.0)
    assert read.tried == 1  # there is no time for a second
    assert read.of == 40


def test_a_sample_says_how_many_it_did_not_try_and_all_are_read_on_request(desk, monkeypatch):
    monkeypatch.setattr(of_dataset, "SAMPLE", 10)
    for i in range(36):
        (desk / "images" / f"{i:02}.png").write_bytes(b"")
    text, refused = tried(config(fit="pad"))
    assert refused == ["mine"]
    assert "10 images that were tried can't be read" in text
    assert "; 14 are untried (`snakemake check_all` reads them all)" in text
    study = config(fit="pad")
    trials = [Trial(**each) for each in Study.of(merged(study)).trials]
    text, refused = report(trials, 2, io.StringIO(), whole=True)
    assert refused == ["mine"]
    count = int(re.search(r"(\d+) of 24 images can't be read: ", text)[1])
    assert len(re.findall(r"unreadable +images/\d\d\.png is empty", text)) == count > 10


def test_damage_that_no_task_meets_stops_none(desk):
    (desk / "images" / "38.png").write_bytes(b"")  # of which nothing is known, so that it is unused
    study = merged(config(fit="pad"))
    trials = [Trial(**each) for each in Study.of(study).trials]
    assert report(trials, 2, io.StringIO(), whole=True)[1] == []


def test_a_dataset_is_looked_at_once_and_told_as_soon_as_that_is_done(desk):
    study = config(fit="pad")
    study["tasks"]["again"] = study["tasks"]["mine"]
    study["experiment"]["tasks"] = ["mine", "again"]
    trials = [Trial(**each) for each in Study.of(merged(study)).trials]
    terminal = io.StringIO()
    text, _ = report(trials, 1, terminal)
    assert text.count("  table ") == text.count("  read ") == 1
    assert re.findall("^(\\w+, of mine)$", text, re.MULTILINE) == [
        "mine, of mine",
        "again, of mine",
    ]
    assert terminal.getvalue() == f"Looking at mine …\n{text}\n"


def test_slices_that_a_volume_does_not_have(desk):
    volume = np.random.default_rng(0).integers(0, 99, (20, 20, 9)).astype(np.int16)
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), desk / "images" / "stack.nii.gz")
    table = pd.read_csv("mine.csv", keep_default_na=False)
    rows = pd.DataFrame({"image_id": [f"stack.nii.gz#{i}" for i in (*range(8), 99)]})
    rows = rows.assign(patient_id="s", findings="Mass", site="Bern", age=3)
    files.write_csv("mine.csv", pd.concat([table, rows]))
    samples = {"test": 0.5, "dev": 0.5}
    lines, refused = said(fit="pad", samples=samples)
    assert refused == ["mine"]
    assert lines["files"] == "49: .png (40), .nii.gz (9 slices of 1 file)"
    assert "stack.nii.gz has no slice 99: it has 9, numbered from 0" in lines["unreadable"]


def test_a_slice_is_looked_for_where_another_of_its_file_was_tried(desk):
    volume = np.zeros((20, 20, 9), np.int16)
    nibabel.save(nibabel.Nifti1Image(volume, np.eye(4)), desk / "images" / "stack.nii.gz")
    names = [f"stack.nii.gz#{i}" for i in (*range(9), 99)]
    found = pd.DataFrame({"image_id": names, "path": [f"images/{name}" for name in names]})
    dataset = build("mine", config()["datasets"]["mine"])
    for seed in range(3):
        read = of_dataset.sample(dataset, found, names, seed, -1.0)
        assert list(read.wrong) == ["stack.nii.gz#99"]
        assert read.tried <= 2


def test_kinds_of_files():
    paths = ["a.JPG", "b.jpg", "c.dcm#3,4", "c.dcm#9,9", "s.NII.GZ#1", "s.NII.GZ#2", "none"]
    assert of_dataset.kinds(paths) == (
        ".jpg (2), .dcm (2 images of 1 file), .nii.gz (2 slices of 1 file), no suffix (1)"
    )


def test_carriers_are_told_by_class_and_part(desk):
    samples = {"test": 4, "dev": 8, "positive": 0.5}
    study = config(confounders=["where"], samples=samples, fit="pad")
    study["confounders"] = {
        "where": {"kind": "gender", "column": "site", "carrier": "Bern", "other": "Rome"}
    }
    text, refused = tried(study | {"experiment": {**study["experiment"], "folds": 1}})
    assert not refused, text
    told = dict(re.findall("  carriers +(dev|test): (.*)", text))
    assert told["dev"] == "negative Rome (4), positive Bern (4), positive Rome (4)"
    everyone = "negative Bern (2), negative Rome (2), positive Bern (2), positive Rome (2)"
    assert told["test"] == everyone


def test_a_share_to_validate_on_beside_a_column_that_says_it(desk):
    table = pd.read_csv("mine.csv", keep_default_na=False)
    table["set"] = [("train", "val", "test")[i // 4 % 3] for i in range(40)]
    files.write_csv("mine.csv", table)
    study = config(fit="pad", samples={"column": "set"})
    study["experiment"]["folds"] = 1
    text, refused = tried(study)
    assert not refused, text
    assert "tasks.mine.val_fraction (0.25) counts for nothing: the column 'set' says who" in text


def test_what_shares_leave_over_is_told(desk):
    lines, _ = said(fit="pad", samples={"test": 0.3, "dev": 0.7})
    assert "that fit into no part" in lines["left out"] or "fits" in lines["left out"]


def test_all_parts_of_a_pool_are_told_and_nothing_is_fetched(desk, monkeypatch):
    def no_network(*_, **__):
        raise AssertionError("the network is asked")

    monkeypatch.setattr("urllib.request.urlopen", no_network)
    skin = {
        "ham": {"kind": "ham10000", "origin": "download"},
        "seven": {"kind": "derm7pt", "origin": "download"},
        "two": {"kind": "ph2", "origin": "download"},
        "mine": config()["datasets"]["mine"],
    }
    study = config(fit="pad")
    study["datasets"]["mine"] = {"kind": "pool", "parts": skin}
    text, refused = tried(study)
    assert refused == ["mine"]
    assert "HAM10000_metadata.csv is not here yet: a run will fetch it" in text
    assert len(re.findall("PROBLEM +datasets.mine.parts.(seven|two): ", text)) == 2
    assert "mine: 40 rows of 20 patients" in text
    assert re.search("  files +40: .png", text)
    del skin["seven"], skin["two"]
    text, refused = tried(study)
    assert not refused
    assert "can't be said without HAM10000_metadata.csv, which a run will fetch" in text


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
