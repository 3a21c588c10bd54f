"""Scores of networks on groups of the test images."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import accuracy_score, brier_score_loss, recall_score, roc_auc_score

from sourcebench.attributes.groups import groups
from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.aggregate import read_table, together
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.runs_table import runs_table
from sourcebench.evaluation.subgroups import subgroups
from sourcebench.files import write_csv
from synthetic_predictions import images_of, write_study

AXES = ["task", "confounder", "source", "arch", "p_art", "fold", "test_set"]


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("subgroups")
    means = {"imagenet": (0.86, 0.3)}
    return write_study(folder, means, p_art=(0, 1), folds=2, images=images_of(40, 60, 2))


def samples():
    """Groups of an image: large ones, one of nine, one of one class, one that is not known."""
    images = images_of(40, 60, 2)
    number = np.arange(100)
    site = np.where(number % 10 < 3, "01", "1")
    site = np.where((number >= 50) & (number < 60), "one class", site)
    rare = np.where(np.isin(number, range(36, 45)), "rare", "usual")
    sex = pd.Series(np.where(number % 4 < 2, "F", "M")).where(number % 10 != 9)
    return images.assign(site=site, rare=rare, sex=sex, age=number, all="all")


def made(folders, *names, **attributes):
    found = groups(samples(), dict.fromkeys(names) | attributes, "tasks.t.subgroups")
    return Evidence.of(folders, "tag", draws=20, groups=found)


def test_scores_are_those_of_the_groups_images(folders):
    evidence = made(folders, "site", "sex")
    table = subgroups(evidence)
    known = samples().set_index("image_id")
    scored = table.dropna(subset="auroc")
    assert len(scored) == len(evidence.runs) * 5  # site: 01, 1; sex: F, M, not known
    runs = evidence.runs.set_index(AXES).index
    for row in scored.to_dict("records"):
        each = evidence.predictions[runs.get_loc(tuple(row[name] for name in AXES))]
        value = each["image_id"].map(known[row["column"]]).astype(object).fillna("")
        rows = each[value == row["group"]]
        margin = rows["logit_1"].astype(float) - rows["logit_0"].astype(float)
        called = margin > 0
        expected = {
            "n": len(rows), "patients": rows["patient_id"].nunique(),
            "auroc": roc_auc_score(rows["label"], margin),
            "accuracy": accuracy_score(rows["label"], called),
            "recall": recall_score(rows["label"], called),
            "specificity": recall_score(rows["label"], called, pos_label=0),
            "brier": brier_score_loss(rows["label"], 1 / (1 + np.exp(-margin))),
        }  # fmt: skip
        for name, number in expected.items():
            assert row[name] == pytest.approx(number, abs=1e-6), name
        assert row["auroc_low"] <= row["auroc"] <= row["auroc_high"]


def test_a_group_of_all_images_has_the_scores_of_the_run(folders):
    evidence = made(folders, "all")
    table, runs = subgroups(evidence), runs_table(evidence)
    for name in ("n", "auroc", "auroc_low", "auroc_high", "accuracy", "brier", "skilled"):
        assert table[name].tolist() == runs[name].tolist(), name
    assert set(table["skilled"]) == {"yes"}


def test_small_groups_and_those_of_one_class_are_counted(folders):
    table = subgroups(made(folders, "site", "rare"))
    sizes = table.groupby(["column", "group"])["n"].agg(["min", "max"])
    for group, n in ((("rare", "rare"), 9), (("site", "one class"), 10)):
        assert sizes.loc[group].tolist() == [n, n]
        of = (table["column"] == group[0]) & (table["group"] == group[1])
        assert table.loc[of, ["auroc", "accuracy", "recall", "auroc_low"]].isna().all(axis=None)
    assert table.groupby([*AXES, "column"])["n"].sum().eq(100).all()


def test_groups_by_an_attribute(folders):
    entry = {"kind": "age_group", "young": 30, "old": 70}
    table = subgroups(made(folders, ages=entry))
    first = table[table["test_set"] == "clean"].head(3).set_index("group")["n"]
    assert first.to_dict() == {"": 40, "old": 30, "young": 30}
    assert set(table["column"]) == {"ages"}


def test_without_groups_there_is_a_head(folders, tmp_path):
    table = subgroups(Evidence.of(folders, "tag", draws=20))
    full = subgroups(made(folders, "site"))
    assert table.empty
    assert list(table) == list(full)
    for name, each in (("none", table), ("some", full)):
        write_csv(tmp_path / f"{name}.csv", each)
    both = together([tmp_path / "none.csv", tmp_path / "some.csv"])
    write_csv(tmp_path / "both.csv", both)
    pd.testing.assert_frame_equal(
        read_table(tmp_path / "both.csv"), full, check_dtype=False, rtol=1e-12
    )
    assert read_table(tmp_path / "both.csv")["group"].tolist() == full["group"].tolist()


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["sits"], r"subgroups has 'sits', which is no column .* \(is it 'site'\?\), nor an attri"),
        (["age"], "'age', a column of 100 values, which are no groups; .* such as age_group"),
    ],
)
def test_groups_that_can_not_be(folders, names, message):
    with pytest.raises(SourceBenchError, match=message):
        made(folders, *names)


def test_samples_of_other_images(folders):
    found = groups(samples().head(90), {"site": None}, "tasks.t.subgroups")
    with pytest.raises(SourceBenchError, match="10 test images are not among the task's samples"):
        subgroups(Evidence.of(folders, "tag", draws=20, groups=found))
