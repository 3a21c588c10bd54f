"""What a study found: the answers are the comparisons', and summary.json is as its schema says."""

import numpy as np
import pandas as pd
import pytest
import yaml
from jsonschema import Draft202012Validator
from scipy import stats

from conftest import ROOT
from sourcebench.evaluation.comparisons import holm
from sourcebench.evaluation.headline import answers, headline
from synthetic_tables import synthetic_tables

SCHEMA = ROOT / "workflow" / "scripts" / "sourcebench" / "evaluation" / "summary.schema.yaml"
TITLES = {"sources": {"imagenet": "ImageNet"}, "tasks": {}, "confounders": {}, "archs": {}}


@pytest.fixture(scope="module")
def tables():
    made = synthetic_tables(p_art=(0, 1))
    audit = pd.DataFrame({"splits": ["a", "b"], "leaked": [0, 3]})
    return {
        **made, "split_audit": audit, "published": pd.DataFrame({"agrees": ["yes", "yes", "no"]})
    }  # fmt: skip


def row(**changes):
    """A row of comparisons.csv: a drop of one source against another."""
    usual = {
        "task": "one", "confounder": "tag", "arch": "resnet50", "p_art": 1.0, "test_set": "ood",
        "of": "drop", "source_a": "a", "source_b": "b", "mean_a": 0.5, "mean_b": 0.2,
        "difference": 0.3, "se": 0.1, "freedom": 20.0, "skilled": "yes",
    }  # fmt: skip
    return {**usual, **changes}


def answer(*rows):
    (found,) = answers(pd.DataFrame(rows), {"a": "A", "b": "B"})
    return found


def test_summary_json_is_as_its_schema_says(tables):
    schema = yaml.safe_load(SCHEMA.read_text())
    Draft202012Validator.check_schema(schema)
    found = headline("mine", tables, TITLES)
    assert not list(Draft202012Validator(schema).iter_errors(found))
    assert found["leaks"] == 1
    assert found["published"] == {"yes": 2, "no": 1, "unclear": 0}
    assert found["p_art"] == 1
    cells = {(each["confounder"], each["source"]): each for each in found["cells"]}
    assert cells["gender", "random"]["skilled"] == "no"
    assert cells["gender", "random"]["rank"] is None
    drop = tables["drop"].set_index(["confounder", "source"])["drop"]
    assert cells["tag", "imagenet"]["paid"] == pytest.approx(drop["tag", "imagenet"])


def test_answers_are_corrected_for_their_number(tables):
    found = answers(tables["comparisons"], {})
    assert len(found) == 3
    np.testing.assert_allclose(
        [each["p_holm"] for each in found], holm([each["p"] for each in found])
    )


def test_targets_of_one_task_count_as_one_and_tasks_add():
    """Standard errors of a task are averaged, variances of tasks added."""
    found = answer(row(), row(confounder="noise", difference=0.1, se=0.3), row(task="two", se=0.1))
    se = np.hypot((0.1 + 0.3) / 3, 0.1 / 3)
    mean = (0.3 + 0.1 + 0.3) / 3
    assert (found["targets"], found["difference"]) == (3, pytest.approx(mean))
    # Near the middle of its limits the scale of the logit is straight.
    assert found["p"] == pytest.approx(2 * stats.t.sf(mean / se, 20), rel=0.1)
    assert found["low"] == pytest.approx(mean - stats.t.ppf(0.975, 20) * se, abs=0.02)


def test_an_answer_in_words():
    assert answer(row())["sentence"].startswith(
        "Over one confounder of a task, networks from A lose 0.30 more o.o.d. AUROC than those "
        "from B (A less B: 95 % interval +0."
    )
    assert "networks from B lose 0.30 more" in answer(row(difference=-0.3))["sentence"]
    none = answer(row(difference=0.01))["sentence"]
    assert "no difference is found between A and B" in none
    assert "one of 0.30 would be, four times in five" in none
    assert "none could be" in answer(row(se=2.0, freedom=2.0))["sentence"]
    assert "Holm" not in none


@pytest.mark.parametrize("skilled", ["no", "misled", ""])
def test_without_skill_there_is_no_answer(skilled):
    found = answer(row(skilled=skilled))
    assert (found["targets"], found["difference"], found["p_holm"]) == (0, None, None)
    assert "nowhere are both known to have skill" in found["sentence"]


def test_only_the_highest_p_art_counts():
    assert answer(row(), row(p_art=0.5, difference=-0.9))["difference"] == pytest.approx(0.3)
