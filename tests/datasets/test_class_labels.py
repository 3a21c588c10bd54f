"""Classes of one's own, from any column of the metadata."""

import numpy as np
import pandas as pd
import pytest

from sourcebench import classes, design
from sourcebench.datasets import sampling, tasks
from sourcebench.datasets.base import METADATA_COLUMNS
from sourcebench.datasets.labels import LABELS
from sourcebench.datasets.prepare import manifest
from sourcebench.errors import SourceBenchError
from sourcebench.seeds import generator

SKIN = {"benign": ["nv", "bkl"], "malignant": ["mel", "bcc"]}


def table(cells, **further):
    """One image per cell, of one patient each."""
    count = range(len(cells))
    known = {"image_id": [f"{i:04}" for i in count], "patient_id": [f"p{i}" for i in count]}
    return pd.DataFrame(known | {"findings": cells, "view": "PA", **further}).reindex(
        columns=[*METADATA_COLUMNS, *further]
    )


def rows(cells, column="findings", **entry):
    metadata = (
        table(cells) if column == "findings" else table(["x"] * len(cells), **{column: cells})
    )
    return LABELS.from_entry({"from": "classes", "column": column, **entry}).rows(metadata)


def test_values_make_classes_in_the_order_of_the_config():
    cells = ["nv", "mel|hair", "bkl|nv", "nv|bcc", "hair", None, "bcc", ""]
    found = rows(cells, classes=SKIN)
    assert list(found["image_id"]) == ["0000", "0001", "0002", "0006"]
    assert list(found["class"]) == ["benign", "malignant", "benign", "malignant"]
    assert list(found["label"]) == [0, 1, 0, 1]
    turned = rows(cells, classes=dict(reversed(SKIN.items())))
    assert list(turned["label"]) == [1, 0, 1, 0]
    nothing = rows(cells, classes={"none": [""], **SKIN})
    assert nothing.set_index("image_id").loc["0007", "class"] == "none"
    assert classes.names(nothing) == ["none", "benign", "malignant"]


def test_without_classes_every_value_is_one():
    found = rows(["b", "c|b", "a", "", None, "c"])
    assert classes.names(found) == ["a", "b", "c"]
    assert list(found["label"]) == [1, 0, 2]


@pytest.mark.parametrize("cells", [[1, 2, 3, 3], [1.0, 2.0, 3.0, np.nan], ["1", "2", "3", "3"]])
def test_numbers_are_the_same_however_they_are_written(cells):
    found = rows(cells, "grade", classes={"low": [1, 2.0], 3: ["3"], "old": None})
    assert list(found["class"])[:3] == ["low", "low", "3"]


def test_what_was_left_out_is_counted():
    metadata = table(["nv", "mel", "bkl|mel", "nv|mel", "hair", None, "bcc"])
    metadata.loc[3, "view"] = "AP"
    entry = {"from": "classes", "classes": SKIN}
    chosen, counts = tasks.candidates(metadata, entry, "PA", {"0000", "0001", "9999"})
    assert list(chosen["image_id"]) == ["0000", "0001"]
    assert counts == {
        "candidates": 3, "without_image": 1, "without_row": 1, "without_findings": 1,
        "several_classes": 1,
    }  # fmt: skip
    with pytest.raises(SourceBenchError, match="No image of class 'malignant' is left"):
        tasks.candidates(metadata, entry, "PA", {"0000"})


WRONG = [
    ({"column": "dx"}, "column is 'dx', which .* does not have; there are: sex, age, view, find"),
    ({"column": "finding"}, r"column is 'finding'.* \(is it 'findings'\?\)"),
    ({"classes": {"a": ["nv"], "b": ["mell"]}}, r"'mell' \(is it 'mel'\?\), which no cell .*'mel'"),
    (
        {"classes": {"a": ["nv"], "b": ["x"], "c": ["mel"]}},
        "no image is of the class 'b' and no ot",
    ),
    ({"column": "view"}, r"column 'view' is one, and it has the values 'PA'; name from 2 to 5000"),
    ({"column": "sex"}, "it has no value; name"),
]


@pytest.mark.parametrize(("entry", "message"), WRONG)
def test_a_column_that_holds_no_such_classes_is_told(entry, message):
    with pytest.raises(SourceBenchError, match=message):
        LABELS.from_entry({"from": "classes", **entry}).rows(table(["nv", "mel", "mel|x"]))


def test_a_column_of_names_is_no_list_of_classes():
    with pytest.raises(SourceBenchError, match=r"5001 in all.*name from 2 to 5000"):
        rows([f"v{i}" for i in range(5001)])


def made(metadata, confounded=None, carrier=None, **samples):
    task = {"dataset": "d", "labels": {"from": "classes"}, "samples": samples}
    if confounded:
        task["confounded"] = confounded
    return manifest(
        "cells", task, metadata, seed=1, carrier=carrier, available=None, published=None
    )


def test_the_confounded_class_is_named():
    chosen, _ = made(table(["a", "b", "c"] * 40), test=30, dev=90)
    assert [design.named(chosen, name, "t") for name in ("a", "b", "c", None)] == [0, 1, 2, 1]
    with pytest.raises(
        SourceBenchError, match=r"tasks\.t: confounded is 'd', .*there are: a, b, c"
    ):
        design.named(chosen, "d", "t")
    own = chosen.assign(**{"class": "x"})  # a column of the user's that says something else
    for unnamed in (own, chosen.drop(columns="class")):
        with pytest.raises(SourceBenchError, match="give their classes no names"):
            design.named(unnamed, "a", "t")


def test_a_class_without_an_image_in_a_part_is_named():
    with pytest.raises(SourceBenchError, match=r"class 'rare' has no image in the test set: pat"):
        made(table(["a", "b"] * 40 + ["rare"]), test=4, dev=70)
    with pytest.raises(SourceBenchError, match=r"share of one of two classes, but .* have 3"):
        made(table(["a", "b", "c"] * 9), test=6, dev=12, positive=0.5)


def test_as_many_of_each_class_are_drawn():
    metadata = table(["a"] * 200 + ["b"] * 30 + ["c"] * 25)
    chosen, _ = made(metadata, test=20, dev=40, balanced=True)
    assert chosen.groupby(["role", "class"]).size().to_dict() == {
        ("dev", "a"): 14, ("dev", "b"): 13, ("dev", "c"): 13,
        ("test", "a"): 7, ("test", "b"): 7, ("test", "c"): 6,
    }  # fmt: skip
    two = sampling.quotas({"test": 9, "dev": 9, "balanced": True})
    assert list(two["n"]) == [5, 4, 5, 4]
    with pytest.raises(
        SourceBenchError, match=r"few images for the task: \d+ more 'c' \w+ images?"
    ):
        made(metadata, test=30, dev=60, balanced=True)


def test_an_attribute_is_drawn_for_the_class_that_has_it_in_training():
    metadata = table(["a", "b"] * 80)
    metadata["sex"] = np.where(np.arange(160) // 2 % 2, "F", "M")
    chosen, _ = made(metadata, "a", ("sex", "F", "M"), test=20, dev=40, positive=0.5)
    counts = chosen[chosen["role"] == "dev"].groupby(["class", "sex"]).size().to_dict()
    assert counts == {("a", "F"): 20, ("a", "M"): 20, ("b", "M"): 20}
    usual = sampling.quotas({"test": 20, "dev": 40, "positive": 0.5}, ("sex", "F", "M"))
    assert set(usual.loc[(usual["role"] == "dev") & (usual["value"] == "F"), "label"]) == {1}


def test_a_thousand_classes_of_ten_images_are_divided_into_folds():
    names = np.repeat([f"s{i:04}" for i in range(1139)], 10)
    cells = generator("siRNA").permutation(names)
    found = rows(list(cells)).assign(role="dev")
    images = design.build(found, folds=5, val_fraction=0.2, seed=1, name="rx").images
    for fold in design.fold_columns(images):
        counts = pd.crosstab(images["label"], images[fold])
        assert (counts["val"] == 2).all()
        assert (counts["train"] == 8).all()
