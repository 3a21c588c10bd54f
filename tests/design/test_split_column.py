"""Splits that a column of the user's table says."""

import numpy as np
import pandas as pd
import pytest

from conftest import merged
from sourcebench import design
from sourcebench.datasets.prepare import manifest
from sourcebench.errors import SourceBenchError
from sourcebench.study import Study

LABELS = {"from": "metadata", "positive": "Nodule", "negative": "None"}
TASK = {"dataset": "mine", "labels": LABELS, "samples": {"column": "set"}}
WORDS = {"train": ["Train", "training"], "val": ["valid", "VAL"], "test": ["testing", "test"]}


def table(**sizes):
    """Two images of each patient, by turns of both classes; patients by the parts' sizes."""
    parts = np.repeat(list(sizes), list(sizes.values()))
    rows = [
        (f"{part}{i}_{j}", f"p{i}", "FM"[i // 2 % 2], ("Nodule", "None")[i % 2], part, j)
        for i, part in enumerate(parts)
        for j in range(2)
    ]
    columns = ["image_id", "patient_id", "sex", "findings", "part", "j"]
    rows = pd.DataFrame(rows, columns=columns).assign(age=None, view=None)
    words = [
        WORDS.get(part, [None, None])[j] for part, j in zip(rows["part"], rows["j"], strict=True)
    ]
    return rows.assign(set=words)


def chosen(rows, carrier=None):
    return manifest("t", TASK, rows, seed=1, carrier=carrier, available=None, published=None)


def build(rows, folds=1, val_fraction=None, **options):
    made = design.build(
        rows, folds=folds, val_fraction=val_fraction, seed=1, name="t", split="set", **options
    )
    design.check(made, "t")
    return made


def test_parts_are_those_of_the_table():
    rows = table(train=12, val=4, test=8, nothing=3)
    found, counts = chosen(rows)
    assert counts["without_part"] == 6
    assert len(found) == 48
    truth = rows.set_index("image_id")["part"]
    assert (found["set"] == found["image_id"].map(truth)).all()
    assert ((found["role"] == "test") == (found["set"] == "test")).all()
    images = build(found, confounder="tag").images
    fold = images["fold_1"].where(images["role"] == "dev", "test")
    assert (fold == images["image_id"].map(truth)).all()
    train = design.development(images, 0.5, 1)
    for part, n in (("train", 24), ("val", 8)):
        of_part = train[train["part"] == part]
        assert len(of_part) == n
        assert of_part.loc[of_part["label"] == 1, "artifact"].mean() == 0.5
    tests = design.test(build(found, confounder="tag").tests, 0.5)
    assert set(tests["image_id"]) == set(rows.loc[rows["part"] == "test", "image_id"])


def test_without_a_validation_set_folds_are_drawn():
    found, _ = chosen(table(train=16, test=8))
    images = build(found, folds=4, val_fraction=0.25).images
    development = images[images["role"] == "dev"]
    for fold in range(1, 5):
        assert (development[f"fold_{fold}"] == "val").sum() == 8
    with pytest.raises(SourceBenchError, match=r"'set' says 'val' of no image, .* no val_fraction"):
        build(found)


def test_several_folds_need_a_draw():
    found, _ = chosen(table(train=12, val=4, test=8))
    with pytest.raises(
        SourceBenchError, match=r"one fold, but experiment\.folds is 2; set it to 1"
    ):
        build(found, folds=2, val_fraction=0.25)


def test_a_patient_on_two_sides_is_refused():
    rows = table(train=12, val=4, test=8)
    rows.loc[rows["image_id"] == "test20_1", "set"] = "train"
    with pytest.raises(SourceBenchError, match="1 patient is in both the development and the"):
        build(chosen(rows)[0])
    rows.loc[rows["image_id"] == "test20_1", "set"] = "test"
    rows.loc[rows["image_id"] == "val12_1", "set"] = "train"
    with pytest.raises(SourceBenchError, match="p12"):
        build(chosen(rows)[0])


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"set": "hold-out"},
            r"tasks\.t: samples\.column is 'set', which has 'hold-out' in 48 rows",
        ),
        ({"set": "test"}, "says 'train' of no image of class 0"),
        ({"set": None}, "says 'train' of no image of class 0"),
        ({"set": "train"}, "says 'test' of no image of class 0"),
    ],
)
def test_columns_that_say_no_parts(change, message):
    with pytest.raises(SourceBenchError, match=message):
        chosen(table(train=12, val=4, test=8).assign(**change))


def test_all_wrong_words_are_told_with_their_images():
    rows = table(train=12, val=4, test=8)
    rows.loc[[0, 3, 4], "set"] = "trian"
    rows.loc[[40], "set"] = "hold-out"
    words = (
        r"has 'trian' in 3 rows \(train0_0, train1_1, train2_0\), 'hold-out' in 1 row \(test20_0"
    )
    with pytest.raises(SourceBenchError, match=words):
        chosen(rows)
    many = [f"word {i}" for i in range(48)]
    with pytest.raises(SourceBenchError, match=r"'word 4' in 1 row .*, and 43 other words; its"):
        chosen(rows.assign(set=many))


def test_every_part_needs_every_class():
    rows = table(train=12, val=4, test=8)
    rows.loc[(rows["part"] == "val") & (rows["findings"] == "Nodule"), "set"] = "train"
    with pytest.raises(SourceBenchError, match="says 'val' of no image of class 1"):
        chosen(rows)
    with pytest.raises(SourceBenchError, match=r"column is 'set', which .* \(is it 'sets'\?\)"):
        chosen(rows.rename(columns={"set": "sets"}))


def test_an_attribute_in_splits_of_the_table():
    rows = table(train=12, val=4, test=8)
    found, _ = chosen(rows, ("sex", "F", "M"))
    images = build(found, carrier=("sex", "F")).images
    sexes = found.set_index("image_id")["sex"]
    for p_art, sex in ((0, "M"), (1, "F")):
        there = design.development(images, p_art, 1)
        positive = there[there["label"] == 1]
        assert set(positive["image_id"].map(sexes)) == {sex}
        assert set(there["part"]) == set(positive["part"]) == {"train", "val"}
    found.loc[found["set"] == "val", "sex"] = "M"
    with pytest.raises(SourceBenchError, match="'train' and 'val' has no image of some class with"):
        build(found, carrier=("sex", "F"))


@pytest.mark.parametrize(
    ("samples", "further", "message"),
    [
        ({"column": None, "test": 8}, {}, r"tasks\.mine\.samples lacks the key 'dev'"),
        ({"test": 8}, {}, r"tasks\.mine\.samples lacks the key 'dev'; .*, unless samples\.column"),
        ({"test": 8, "dev": 8}, {}, r"tasks\.mine lacks the key 'val_fraction'; .*, unless"),
        ({"column": "set"}, {"val_fraction": 0.9}, r"val_fraction is 0\.9, .* at most 0\.2"),
        ({"test": 0.5, "dev": 0.7}, {}, r"has 0\.5 for test and 0\.7 for dev, .* add up to 1\.2;"),
        ({"column": 3}, {}, r"samples\.column is 3; it must be text or nothing"),
    ],
)  # fmt: skip
def test_samples_that_can_not_be(samples, further, message):
    with pytest.raises(SourceBenchError, match=message):
        Study.of(config(samples, **further))


def config(samples, **further):
    task = {
        "title": "Mine", "dataset": "nih_cxr14", "labels": LABELS, "samples": samples,
        "input_size": 32, "batch_size": 8, "monitor": "loss", "confounders": [], **further,
    }  # fmt: skip
    return merged({"tasks": {"mine": task}, "experiment": {"tasks": ["mine"]}})


def test_a_task_knows_its_column():
    task = Study.of(config({"column": "set"})).tasks["mine"]
    assert (task.split, task.val_fraction) == ("set", None)
    numbers = {"test": 8, "dev": 8}
    over = Study.of(config({"column": "set", **numbers})).tasks["mine"]
    assert over.sampling == task.sampling
    back = Study.of(config({"column": None, **numbers}, val_fraction=0.2)).tasks["mine"]
    assert (back.split, back.samples) == (None, numbers)
    assert Study.of(merged({})).tasks["cxr_mass"].split is None
