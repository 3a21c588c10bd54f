"""Metrics of failures on draws of the patients, and their intervals."""

import importlib.util
import sys

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from conftest import ROOT
from sourcebench.errors import SourceBenchError
from sourcebench.evaluation import resampling
from sourcebench.evaluation.failures import FAILURE_METRICS, Answers, Kept, score, score_draws
from sourcebench.evaluation.failures.coverage import (
    _independent,
    coverage_at_risk,
    coverage_bounds,
)
from sourcebench.evaluation.failures.intervals import counts, draws, intervals
from sourcebench.evaluation.resampling import Patients
from sourcebench.seeds import generator
from test_failures import answers_of, worlds


def probable(answers):
    return Answers(answers.confidences, answers.failures, probability=True)


@given(worlds(), st.integers(1, 30), st.integers(0, 99))
@settings(max_examples=50)
def test_draws_are_scored_as_their_answers_repeated(answers, patients, seed):
    answers = probable(answers)
    images = len(answers.failures)
    ids = generator("of draws", seed).integers(0, patients, images).astype(str)
    weights = Patients(ids, 5, seed).weights(ids)
    weights[:, 4] = 0
    found = score_draws(answers, weights)
    assert list(found) == FAILURE_METRICS.names()
    for number, column in enumerate(weights.T.astype(int)):
        again = np.repeat(np.arange(images), column)
        repeated = Answers(answers.confidences[again], answers.failures[again], True)
        expected = score(repeated)
        for name, values in found.items():
            assert values[number] == pytest.approx(expected[name], abs=1e-12, nan_ok=True), name


def test_draws_in_blocks_are_the_same_draws(monkeypatch):
    rng = generator("blocks")
    answers = answers_of(rng.random(40), rng.random(40) < 0.3, True)
    ids = rng.integers(0, 25, 40).astype(str)
    whole = Patients(ids, 300, "some")
    at_once, wide = score_draws(answers, whole.weights(ids)), draws(answers, ids, whole)
    monkeypatch.setattr(resampling, "CELLS", 7 * 40)
    parts = Patients(ids, 300, "some")
    np.testing.assert_array_equal(parts.weights(ids), whole.weights(ids))
    in_parts, few = score_draws(answers, parts.weights(ids)), draws(answers, ids, parts)
    for name in FAILURE_METRICS:
        np.testing.assert_allclose(in_parts[name], at_once[name], rtol=1e-12)
        size = 300 if name == "aurc" else 250
        np.testing.assert_allclose(few[name], at_once[name][:size], rtol=1e-12)
        np.testing.assert_allclose(wide[name], few[name], rtol=1e-12)


@pytest.mark.parametrize(("number", "images"), [(10, 3), (1, 100), (5, 0)])
def test_blocks_are_all_draws_once(number, images):
    spans = list(resampling.blocks(number, images))
    np.testing.assert_array_equal(
        np.concatenate([np.arange(number)[each] for each in spans]), np.arange(number)
    )


def test_one_block_has_no_more_cells_than_it_may(monkeypatch):
    monkeypatch.setattr(resampling, "CELLS", 100)
    spans = list(resampling.blocks(17, 30))
    assert [each.stop - each.start for each in spans] == [3, 3, 3, 3, 3, 2]
    assert [each.stop for each in resampling.blocks(2, 1000)] == [1, 2]


def test_accuracy_has_the_standard_error_of_its_patients():
    """Of one answer per patient √(a (1 − a) / P); the interval is on the scale of the logit."""
    rng = generator("accuracy")
    failures = rng.random(500) < 0.2
    ids = np.arange(500).astype(str)
    found = intervals(answers_of(rng.random(500), failures), ids, Patients(ids, 2000, "se"))
    a, wrong = 1 - failures.mean(), failures.sum()
    t = stats.t.ppf(0.975, wrong - 1)
    low = 1 / (1 + (1 - a) / a * np.exp(t / np.sqrt(500 * a * (1 - a))))
    assert found["accuracy"].mean == pytest.approx(a)
    assert found["accuracy"].low == pytest.approx(low, abs=0.006)


def test_patients_who_answer_alike_are_no_more_than_one_answer_each():
    rng = generator("alike")
    one = answers_of(rng.random(80), rng.random(80) < 0.3)
    ids = np.arange(80).astype(str)
    patients = Patients(ids, 400, "alike")
    again = np.repeat(np.arange(80), 3)
    thrice = Answers(one.confidences[again], one.failures[again])
    first, second = intervals(one, ids, patients), intervals(thrice, ids[again], patients)
    for name in set(FAILURE_METRICS) - {"ece"}:
        assert second[name] == pytest.approx(first[name], abs=1e-9), name
    taken_apart = intervals(thrice, np.arange(240), Patients(np.arange(240), 400, "apart"))
    assert np.ptp(taken_apart["aurc"][1:]) < 0.8 * np.ptp(first["aurc"][1:])


def test_intervals_are_there_where_the_metric_is_and_hold_it():
    ids = np.arange(30).astype(str)
    patients = Patients(ids, 300, "there")
    right = intervals(answers_of(np.arange(30) / 30, np.zeros(30)), ids, patients)
    # Thirty who are all right leave room for others: the bound of Clopper and Pearson.
    bound = stats.binomtest(30, 30).proportion_ci(0.95, "exact").low
    assert right["accuracy"] == pytest.approx((1, bound, 1))
    assert right["aurc"] == pytest.approx((0, 0, 1 - bound))
    assert np.isnan([*right["failure_auroc"], *right["fpr_at_95_tpr"], *right["ece"]]).all()
    mixed = answers_of(np.arange(30) / 30, np.arange(30) % 4 == 0, True)
    for name, (value, low, high) in intervals(mixed, ids, patients).items():
        assert low <= value <= high, name
    half = intervals(mixed, ids, patients, level=0.5)
    assert np.ptp(half["aurc"][1:]) < np.ptp(intervals(mixed, ids, patients)["aurc"][1:])


def exact_bounds(answers, one_in, level=0.95):
    """Coverages whose risk is below, or not above, by the binomial interval of SciPy."""
    low = high = 0.0
    for threshold in set(answers.confidences):
        kept = answers.failures[answers.confidences >= threshold]
        bounds = stats.binomtest(int(kept.sum()), len(kept)).proportion_ci(level, "exact")
        share = len(kept) / len(answers.failures)
        low = max(low, share) if bounds.high <= 1 / one_in else low
        high = max(high, share) if bounds.low <= 1 / one_in else high
    return low, high


@given(worlds(), st.sampled_from([2, 4, 20, 100]), st.sampled_from([0.5, 0.95]))
@settings(max_examples=20)
def test_coverage_bounds_are_those_of_exact_intervals_of_the_risk(answers, one_in, level):
    images = len(answers.failures)
    ids = np.arange(images).astype(str)
    expected = exact_bounds(answers, one_in, level)
    found = coverage_bounds(answers, ids, level, one_in)
    assert found == pytest.approx((expected[0], max(expected)))
    again = np.repeat(np.arange(images), 3)
    thrice = Answers(answers.confidences[again], answers.failures[again])
    assert coverage_bounds(thrice, ids[again], level, one_in) == pytest.approx(found)
    value = coverage_at_risk(Kept.of(answers), one_in)[0]
    assert found[0] <= value <= found[1]


@given(worlds(), st.integers(1, 30), st.integers(0, 99))
@settings(max_examples=20)
def test_answers_count_as_many_as_their_patients_make_them(answers, patients, seed):
    """By the variance of a ratio, over the patients of those kept."""
    images = len(answers.failures)
    ids = generator("count as", seed).integers(0, patients, images).astype(str)
    kept, failed, size = _independent(answers, ids)
    for number, threshold in enumerate(np.unique(answers.confidences)[::-1]):
        above = answers.confidences >= threshold
        n, wrong = above.sum(), answers.failures[above].sum()
        assert (kept[number], failed[number]) == (n, wrong)
        risk, of = wrong / n, [above & (ids == each) for each in np.unique(ids[above])]
        spread = sum((answers.failures[each].sum() - risk * each.sum()) ** 2 for each in of)
        alike = spread < 1e-6
        expected = len(of) if alike else min(n, risk * (1 - risk) * n**2 / spread)
        assert size[number] == pytest.approx(expected)


def test_no_answers_have_no_bounds():
    assert np.isnan(coverage_bounds(answers_of([], []), np.array([], str), 0.95, 20)).all()


def test_the_rarer_kind_of_patients_is_counted():
    ids = np.array(list("aabbccddee"))
    failures = np.array([1, 0, 1, 1, 0, 0, 0, 0, 0, 0], bool)
    assert counts(Answers(np.zeros(10), failures), ids) == (5, 2)
    assert counts(Answers(np.zeros(10), np.arange(10) % 2 == 0), ids) == (5, 2)  # all have both
    assert counts(Answers(np.zeros(1), np.ones(1, bool)), ids[:1]) == (2, 2)


def test_an_answer_without_a_patient_is_said():
    with pytest.raises(SourceBenchError, match="3 answers and 2 patients' ids"):
        intervals(answers_of([1, 2, 3], [0, 1, 0]), ["a", "b"], Patients(["a", "b"], 9))


def test_intervals_hold_the_truth_as_often_as_they_say(monkeypatch):
    """The benchmark in miniature: but for one time in two thousand, of answers that go together."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    spec = importlib.util.spec_from_file_location("of_failures", ROOT / "benchmarks/failures.py")
    benchmark = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, spec.name, benchmark)
    spec.loader.exec_module(benchmark)
    world, studies = benchmark.World(0.25, 100, 4, 0.5), 80
    found = benchmark.covered(world, studies, 150)
    assert list(found) == FAILURE_METRICS.names()
    for name, ((held, mean, _), there) in found.items():
        assert there == studies
        assert held >= stats.binom.ppf(5e-4, studies, 0.93) / studies, name
        if not name.startswith("coverage"):  # which is too large on the mean
            assert mean == pytest.approx(benchmark.truth(0.25)[name], abs=0.03), name
