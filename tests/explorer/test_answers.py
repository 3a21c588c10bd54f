"""What is known of each answer: the four outcomes, and where its image is read from."""

import numpy as np
import pandas as pd
import pytest

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.asked import Network
from sourcebench.explorer.answers import OUTCOMES, answers, outcomes, possible
from sourcebench.explorer.failures import most_confident
from synthetic_explored import KINDS, write_run


def test_the_four_outcomes():
    failed, kept = np.array([False, False, True, True]), np.array([True, False, False, True])
    assert tuple(outcomes(failed, kept)) == OUTCOMES


def test_scores_are_made_of_the_networks_that_are_for_them():
    names = ["pe", "ensemble_msr", "dg_res", "msr"]
    assert possible(names, Network("cross_entropy", pd.DataFrame())) == ["pe", "msr"]
    assert possible(names, Network("deep_gamblers", pd.DataFrame())) == ["dg_res"]


def test_answers_know_their_layers_and_shifts(tmp_path):
    run, designs, _ = write_run(tmp_path, count=8)
    predictions = pd.read_parquet(run / "predictions.parquet")
    rows = answers(predictions, designs, 0, KINDS)
    assert len(rows) == len(predictions) == 32
    logits = rows[["logit_0", "logit_1"]].to_numpy()
    assert (rows["called"] == logits.argmax(1)).all()
    shifted = rows[rows["test_set"] == "bright_2"]
    assert (shifted["layer"] == "bright_2").all()
    assert (shifted["severity"] == 2).all()
    assert (shifted["shift"] == "corruption").all()
    clean = rows[rows["test_set"] == "clean"]
    assert (clean["layer"] == "none").all()
    assert (clean["shift"] == "iid").all()


def test_a_test_set_of_several_confounders_is_there_once_unless_it_has_other_images(tmp_path):
    run, designs, _ = write_run(tmp_path, count=8)
    predictions = pd.read_parquet(run / "predictions.parquet")
    design = designs["none"]
    other = design.tests["layer"].where(design.tests["test_set"] != "bright_1", "dots")
    both = {"a": design, "b": design._replace(tests=design.tests.assign(layer=other))}
    twice = pd.concat([predictions.assign(confounder=name) for name in both])
    rows = answers(twice, both, 0, KINDS)
    assert rows.groupby("set").size().to_dict() == {
        "clean": 8, "bright_1 (a)": 8, "bright_1 (b)": 8, "bright_2": 8, "bright_3": 8,
    }  # fmt: skip


def test_answers_without_a_partner_are_not_lost(tmp_path):
    run, designs, _ = write_run(tmp_path, count=8)
    predictions = pd.read_parquet(run / "predictions.parquet")
    with pytest.raises(SourceBenchError, match="1 test image without a prediction"):
        answers(predictions.iloc[1:], designs, 0, KINDS)
    design = designs["none"]
    fewer = {"none": design._replace(tests=design.tests.iloc[1:])}
    with pytest.raises(SourceBenchError, match="1 prediction that no design has"):
        answers(predictions, fewer, 0, KINDS)


def said(**columns):
    table = pd.DataFrame({
        "confounder": "none", "test_set": "clean", "set": "clean", "layer": "none", "label": 0,
        "image_id": list("abcdef"), "s": [0.9, 0.8, 0.8, 0.7, 0.95, 0.1],
        "s_called": [1, 1, 1, 1, 0, 1], "s_kept": True,
    })  # fmt: skip
    return table.assign(**columns)


def test_the_most_confident_failures_are_ranked_and_no_image_is_there_twice():
    found = most_confident(said(), ["s"], most=3)
    assert list(found["image_id"]) == ["a", "b", "c"]  # 'e' is right; of equals by name
    assert list(found["rank"]) == [1, 2, 3]
    again = most_confident(said(image_id=list("aabbcc")), ["s"])
    assert list(again["image_id"]) == ["a", "b", "c"]
    assert list(again["confidence"]) == [0.9, 0.8, 0.1]


@pytest.mark.parametrize("rows", [said(s_called=0), said().head(0)])
def test_without_failures_there_are_none(rows):
    found = most_confident(rows, ["s"])
    assert found.empty
    assert {"rank", "image_id", "layer", "confidence", "kept"} <= set(found)
