"""Confidence scores, against other libraries and known answers."""

from itertools import chain

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit, log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.confidence import SCORES
from sourcebench.evaluation.confidence import Tested as Said  # pytest collects what is called Test…
from sourcebench.evaluation.confidence.scaling import line, log_odds, temperature
from sourcebench.evaluation.failures import Answers, score
from sourcebench.evaluation.failures.threshold import Outcomes, outcomes, threshold
from sourcebench.seeds import generator
from synthetic_confidence import LEARNED, PLAIN, measured, table_of

MANY = 10_000


def said(name, classes=3, images=60, scale=2.0):
    """What a network says whose logits are right in their ratios, but `scale` times too large."""
    rng = generator("said", name)
    logits = rng.normal(size=(images, classes)) * 1.5
    shares = softmax(logits, 1).cumsum(1)
    labels = (rng.random((images, 1)) > shares).sum(1).clip(max=classes - 1)
    table = table_of(logits * scale, labels)
    return Said(measured(table, name, kind="any") if images < MANY else table)


@st.composite
def networks(draw):
    return said(
        draw(st.integers(0, 2**20)), draw(st.sampled_from([2, 3, 7])), draw(st.integers(1, 40))
    )


def test_all_scores_are_there():
    assert set(SCORES) == {*PLAIN, *chain(*LEARNED.values())}
    wanted = {name: SCORES.get(name).measures for name in SCORES}
    assert wanted["mcd_ee"] == wanted["dg_mcd_msr"] == ("mc_dropout",)
    assert {name for name in SCORES if SCORES.get(name).fitted} == {"temperature", "platt"}
    for kind, names in LEARNED.items():
        assert {SCORES.get(name).method for name in names} == {kind}
    assert all(SCORES.get(name).method is None for name in PLAIN)


@given(networks())
@settings(max_examples=30)
def test_scores_of_one_pass_are_pytorchs(tested):
    logits = torch.tensor(tested.logits)
    expected = {
        "msr": logits.softmax(1).amax(1),
        "pe": torch.log(torch.tensor(float(logits.shape[1]), dtype=torch.float64))
        - torch.distributions.Categorical(logits=logits).entropy(),
        "max_logit": logits.amax(1),
        "energy": logits.logsumexp(1),
    }
    for name, values in expected.items():
        confidences, called = SCORES.get(name).of(tested)
        np.testing.assert_allclose(confidences, values.numpy(), atol=1e-12, err_msg=name)
        np.testing.assert_array_equal(called, logits.argmax(1).numpy())


@pytest.mark.parametrize(
    ("name", "column", "called"),
    [
        ("mcd_msr", "mcd_msr", "mcd_class"),
        ("mcd_pe", "mcd_pe", "mcd_class"),
        ("mcd_ee", "mcd_ee", "mcd_class"),
        ("dg_mcd_msr", "mcd_msr", "mcd_class"),
        ("dg_res", "confidence", None),
        ("confidnet", "confidence", None),
        ("devries", "confidence", None),
        ("mahalanobis", "mahalanobis", None),
        ("neighbours", "neighbours", None),
    ],
)
def test_scores_that_were_measured_are_columns_and_judge_their_own_answers(name, column, called):
    tested = said("columns", 5, 200)
    found = SCORES.get(name).of(tested)
    np.testing.assert_array_equal(found.confidences, tested.rows[column])
    one_pass = tested.logits.argmax(1)
    np.testing.assert_array_equal(found.called, tested.rows[called] if called else one_pass)
    assert (found.called != one_pass).any() == bool(called)
    assert found.confidences.dtype == np.float64
    assert found.called.dtype == np.int64
    with pytest.raises(SourceBenchError, match=f"no column '{column}'"):
        SCORES.get(name).of(Said(tested.rows.drop(columns=column)))


def nll(tested, temperatures):
    scaled = tested.logits / np.reshape(temperatures, (-1, 1, 1))
    return -log_softmax(scaled, 2)[:, np.arange(len(tested.labels)), tested.labels].mean(1)


@given(networks())
@settings(max_examples=30)
def test_the_temperature_is_that_of_a_grid(tested):
    found = temperature(tested)
    if (tested.logits.argmax(1) == tested.labels).all():
        assert found == 1
        return
    assert 0.01 <= found <= 100
    assert nll(tested, found) <= nll(tested, np.geomspace(0.01, 100, 400)).min() + 1e-6


def test_the_temperature_is_found_that_the_logits_were_made_with():
    held, tested = said("many", 4, 20_000, scale=3.0), said("few", 4, 300, scale=3.0)
    logits, labels = torch.tensor(held.logits), torch.tensor(held.labels)
    scale = torch.zeros(1, dtype=torch.float64, requires_grad=True)
    search = torch.optim.LBFGS([scale], line_search_fn="strong_wolfe", max_iter=30)

    def loss():
        search.zero_grad()
        value = torch.nn.functional.cross_entropy(logits * scale.exp(), labels)
        value.backward()
        return value

    search.step(loss)
    assert temperature(held) == pytest.approx(3, rel=0.03)
    assert temperature(held) == pytest.approx(float((-scale).exp().detach()), rel=1e-5)
    confidences, called = SCORES.get("temperature").of(Said(tested.rows, held))
    expected = softmax(tested.logits / temperature(held), 1)
    np.testing.assert_allclose(confidences, expected.max(1))
    np.testing.assert_array_equal(called, tested.logits.argmax(1))
    assert SCORES.get("temperature").of(Said(tested.rows, held)).confidences is not confidences


class Odds(ClassifierMixin, BaseEstimator):
    """A classifier whose decision is what it is given; scikit-learn calibrates it."""

    def fit(self, features, labels):
        self.classes_, self.fitted_ = np.unique(labels), True
        return self

    def decision_function(self, features):
        return features[:, 0]

    def predict(self, features):
        return self.classes_[(features[:, 0] > 0).astype(int)]


@given(networks())
@settings(max_examples=15)
def test_platt_is_scikit_learns(held):
    right = held.logits.argmax(1) == held.labels
    odds = log_odds(held)
    if right.all() or not right.any():
        assert line(held) == (1, 0)
        return
    classifier = FrozenEstimator(Odds().fit(odds[:, None], right))
    every = np.arange(len(right))
    calibrated = CalibratedClassifierCV(classifier, cv=[(every, every)], ensemble=False)
    calibrated.fit(odds[:, None], right)
    expected = calibrated.predict_proba(odds[:, None])[:, 1]
    found = SCORES.get("platt").of(Said(held.rows, held)).confidences
    np.testing.assert_allclose(found, expected, atol=2e-3)
    target = np.where(right, (right.sum() + 1) / (right.sum() + 2), 1 / ((~right).sum() + 2))

    def loss(probability):
        return -(target * np.log(probability) + (1 - target) * np.log1p(-probability)).mean()

    assert loss(found) <= loss(expected) + 1e-9


def test_platt_finds_the_line_that_answers_were_made_with():
    """Of log odds x the answer is right with the probability 1 / (1 + exp(−0.4 x + 0.3))."""
    rng = generator("platt")
    odds = rng.exponential(3, 40_000)
    right = rng.random(40_000) < expit(0.4 * odds - 0.3)
    held = Said(table_of(np.stack([odds, np.zeros(40_000)], 1), np.where(right, 0, 1)))
    np.testing.assert_allclose(log_odds(held), odds, rtol=1e-6)
    assert line(held) == pytest.approx((0.4, -0.3), abs=0.04)


def test_where_there_is_nothing_to_fit_by_scaled_scores_are_the_maximum():
    tested = said("tested", 3, 50)
    right = tested.rows.assign(label=tested.logits.argmax(1))
    plain = SCORES.get("msr").of(tested).confidences
    for name in ("platt", "temperature"):
        confidences = SCORES.get(name).of(Said(tested.rows, Said(right))).confidences
        np.testing.assert_allclose(confidences, plain, rtol=1e-12)
        with pytest.raises(SourceBenchError, match="there are none"):
            SCORES.get(name).of(Said(tested.rows, Said(right.iloc[:0])))
        with pytest.raises(SourceBenchError, match="there are none"):
            SCORES.get(name).of(tested)


def test_platt_of_equal_confidences_is_their_share_of_right_answers():
    logits = np.tile([1.0, 0.0], (8, 1))
    held = Said(table_of(logits, [0, 0, 0, 0, 0, 0, 1, 1]))
    slope, offset = line(held)
    assert slope == 0
    assert expit(offset) == pytest.approx((6 * 7 / 8 + 2 * 1 / 4) / 8)


def test_an_ensemble_is_the_mean_of_its_networks():
    members = tuple(said(name, 4, 80) for name in range(3))
    found = SCORES.get("ensemble_msr").of(Said(members[0].rows, members=members))
    mean = sum(torch.tensor(each.logits).softmax(1) for each in members) / 3
    np.testing.assert_allclose(found.confidences, mean.amax(1).numpy())
    np.testing.assert_array_equal(found.called, mean.argmax(1).numpy())
    alone, one = (SCORES.get(name).of(members[0]) for name in ("ensemble_msr", "msr"))
    np.testing.assert_array_equal(alone.confidences, one.confidences)


@given(st.integers(0, 2**20), st.integers(1, 60), st.sampled_from([0.3, 2.0, 30.0, 400.0]))
@settings(max_examples=60)
def test_of_two_classes_maximum_and_entropy_rank_alike(seed, images, scale):
    """However sure: also where the softmax is 1 in float64, and ties."""
    tested = said(seed, 2, images, scale)
    for one, other in (("msr", "pe"), ("mcd_msr", "mcd_pe")):
        areas = []
        for name in (one, other):
            confidences, called = SCORES.get(name).of(tested)
            areas.append(score(Answers(confidences, called != tested.labels))["aurc"])
        assert areas[0] == areas[1]


@given(st.lists(st.integers(0, 6), max_size=30), st.floats(0.01, 1))
def test_the_threshold_is_the_largest_confidence_that_keeps_the_share(values, coverage):
    confidences = np.array(values, np.float64)
    found = threshold(confidences, coverage)
    if not values:
        assert np.isnan(found)
        return
    keeping = [each for each in values if (confidences >= each).mean() >= coverage - 1e-9]
    assert found == max(keeping)


def test_a_threshold_keeps_exactly_a_share_of_confidences_that_differ():
    confidences = generator("threshold").random(1000)
    for percent in range(1, 101):
        kept = confidences >= threshold(confidences, percent / 100)
        assert kept.sum() == 10 * percent
    for wrong in (0, 1.01, float("nan")):
        with pytest.raises(SourceBenchError, match="must be over 0 and at most 1"):
            threshold(confidences, wrong)


def test_outcomes_are_the_four_that_there_are():
    answers = Answers(
        np.array([0.9, 0.8, 0.5, 0.5, 0.1]), np.array([True, False, True, False, True])
    )
    assert outcomes(answers, 0.5) == Outcomes(0.2, 0.4, 0, 0.4)
    assert outcomes(answers, 0.8) == Outcomes(0.4, 0.2, 0.2, 0.2)
    assert outcomes(answers, 0.8).coverage == pytest.approx(0.4)
    assert np.isnan(outcomes(answers, np.nan)).all()
    assert np.isnan(outcomes(Answers(np.zeros(0), np.zeros(0, bool)), 0.5)).all()
