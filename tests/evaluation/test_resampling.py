"""Metrics of many draws at once against the metrics of each draw's images, one draw at a time."""

import numpy as np
import pandas as pd
import pytest
import sklearn.metrics as sklearn
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sourcebench.evaluation import resampling
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.metrics import METRICS, RESAMPLED, margins
from sourcebench.evaluation.metrics.areas import ranked_rightly
from sourcebench.evaluation.resampling import Patients, Resample
from sourcebench.seeds import generator
from synthetic_predictions import images_of, write_study


def test_every_metric_has_its_twin_on_draws():
    assert RESAMPLED.names() == METRICS.names()


@st.composite
def worlds(draw):
    """Labels, logits (tied where steps are few), and the patient of each image."""
    classes = draw(st.integers(2, 3))
    images = draw(st.integers(classes, 40))
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    labels = rng.integers(0, classes, images)
    logits = rng.normal(0, 2, (images, classes)) + np.eye(classes)[labels]
    if steps := draw(st.sampled_from([0, 1, 4])):
        logits = np.round(logits * steps) / steps
    patients = rng.integers(0, draw(st.integers(1, images)), images)
    return labels, logits, patients.astype(str)


def of_those_there(name, labels, logits):
    """The mean over the classes that there are, of a metric that is NaN where one is not."""
    there = np.unique(labels)
    if name == "f1":
        return sklearn.f1_score(labels, logits.argmax(1), labels=there, average="macro")
    if name == "balanced_accuracy":
        return np.mean([np.mean(logits[labels == each].argmax(1) == each) for each in there])
    if name not in ("auroc", "auprc", "auprc_dg") or len(there) == 1:
        return np.nan
    each = [
        METRICS.get(name)((labels == label).astype(int), np.stack([np.zeros(len(labels)), odds], 1))
        for label, odds in ((label, margins(logits)[:, label]) for label in there)
    ]
    return np.mean(each)


@given(worlds())
@settings(max_examples=40)
def test_metrics_of_draws_are_those_of_the_images_repeated(world):
    labels, logits, ids = world
    weights = Patients(ids, 4, len(ids)).weights(ids)
    found = Resample(labels, logits, weights)
    values = {name: RESAMPLED.get(name)(found) for name in RESAMPLED.names()}
    for number, column in enumerate(weights.T.astype(int)):
        again = np.repeat(np.arange(len(labels)), column)
        for name, each in values.items():
            expected = METRICS.get(name)(labels[again], logits[again])
            if np.isnan(expected) and logits.shape[1] > 2:
                expected = of_those_there(name, labels[again], logits[again])
            assert each.shape == (4,)
            assert each[number] == pytest.approx(expected, abs=2e-5, nan_ok=True), name


def test_a_draw_without_a_class_has_no_area_and_one_without_images_nothing():
    labels, logits = np.array([0, 0, 1]), np.array([[1.0, 0], [0, 1], [0, 2]])
    weights = np.array([[1, 1, 0], [0, 0, 2], [0, 0, 0], [1, 1, 1]], np.float32).T
    found = Resample(labels, logits, weights)
    values = {name: RESAMPLED.get(name)(found) for name in RESAMPLED.names()}
    np.testing.assert_array_equal(values["auroc"], [np.nan, np.nan, np.nan, 1])
    np.testing.assert_array_equal(values["recall"], [np.nan, 1, np.nan, 1])
    np.testing.assert_array_equal(values["specificity"], [0.5, np.nan, np.nan, 0.5])
    assert all(np.isnan(each[2]) for each in values.values())
    assert np.isfinite([each[3] for each in values.values()]).all()


@pytest.mark.parametrize("steps", [0, 1, 4])
def test_many_small_classes_have_the_curves_that_large_ones_have(monkeypatch, steps):
    draw = generator("small classes", steps)
    labels = np.append(np.arange(40), draw.integers(0, 39, 300))
    logits = draw.normal(0, 2, (len(labels), 40)) + np.eye(40)[labels]
    logits = np.round(logits * steps) / steps if steps else logits
    ids = draw.integers(0, 200, len(labels)).astype(str)
    weights = Patients(ids, 30, "small").weights(ids)
    names = ("auroc", "auprc", "auprc_dg")
    monkeypatch.setattr(resampling, "ROWS", 50)
    assert Resample(labels, logits, weights).has_small_classes
    small = [RESAMPLED.get(name)(Resample(labels, logits, weights)) for name in names]
    monkeypatch.setattr(resampling, "SMALL", 0)
    large = [RESAMPLED.get(name)(Resample(labels, logits, weights)) for name in names]
    np.testing.assert_allclose(small, large, rtol=1e-6)
    np.testing.assert_array_equal(small[0], large[0])
    assert np.isfinite(small).all()


@given(st.integers(0, 10_000), st.integers(2, 60), st.sampled_from([1, 3, 50]))
@settings(max_examples=40)
def test_pairs_ranked_rightly_are_those_of_mann_and_whitney(seed, images, steps):
    rng = np.random.default_rng(seed)
    hit = np.append([True, False], rng.random(images) < 0.4)
    score = np.round(rng.normal(size=len(hit)) * steps)
    weights = rng.integers(0, 3, (len(hit), 3)).astype(np.float32)
    weights[:2] += 1
    for column, found in zip(
        weights.T.astype(int), ranked_rightly(hit, score, weights), strict=True
    ):
        above, below = (np.repeat(score[each], column[each]) for each in (hit, ~hit))
        pairs = stats.mannwhitneyu(above, below).statistic / len(above) / len(below)
        assert found == pytest.approx(pairs)


@given(st.lists(st.text("abc019é", min_size=1, max_size=4), min_size=1, max_size=30, unique=True))
def test_draws_are_the_same_whatever_the_order_of_the_patients(ids):
    weights = Patients(ids, 9, "some").weights(ids)
    order = np.argsort([each[::-1] for each in ids])
    turned = [ids[i] for i in order]
    again = Patients([*turned, *turned], 9, "some").weights(turned)
    np.testing.assert_array_equal(again, weights[order])
    assert (weights.sum(0) == len(ids)).all()  # so many are drawn, with replacement
    np.testing.assert_array_equal(Patients(ids, 9, "some").weights(ids[:1]), weights[:1])


def test_all_images_of_a_patient_are_drawn_together_and_names_seed_the_draws():
    ids = ["b", "a", "b", "c"]
    patients = Patients(ids, 300, "some")
    weights = patients.weights(ids)
    assert patients.draws == 300
    np.testing.assert_array_equal(weights[0], weights[2])
    assert not np.array_equal(weights[0], weights[1])
    assert not np.array_equal(Patients(ids, 300, "other").weights(ids), weights)
    # Each count is binomial: three tries, a third each; its variance over 300 draws is 2/3.
    assert weights.mean(1) == pytest.approx([1] * 4, abs=0.2)
    assert weights.var(1) == pytest.approx([2 / 3] * 4, abs=0.2)


def test_evidence_scores_every_network_on_the_same_draws(tmp_path):
    images = images_of(6, 9, per_patient=2)
    folders = write_study(tmp_path, {"one": (0.8, 0.4)}, folds=2, p_art=(0, 1), images=images)
    evidence = Evidence.of(folders, "tag", draws=260)
    assert evidence.rarest == 3
    weights = evidence.patients.weights(images["patient_id"])
    patients = Patients(images["patient_id"][::-1], 260, "cxr_mass")
    np.testing.assert_array_equal(patients.weights(images["patient_id"]), weights)
    rows = generator("rows").choice(len(evidence.runs), 4, replace=False)
    for name, few in (("auroc", 260), ("brier", 250)):
        drawn = evidence.drawn[name]
        assert drawn.shape == (len(evidence.runs), few)
        for row in rows:
            made = evidence.predictions[row]
            logits = made[["logit_0", "logit_1"]].to_numpy(float)
            for number in (0, 249, few - 1):
                again = np.repeat(np.arange(15), weights[:, number].astype(int))
                labels = made["label"].to_numpy()[again]
                expected = METRICS.get(name)(labels, logits[again])
                assert drawn[row, number] == pytest.approx(expected, abs=1e-5, nan_ok=True)
    assert not pd.DataFrame(evidence.drawn["auroc"]).isna().all(axis=None)
