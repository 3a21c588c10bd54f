"""Metrics of failure detection: published vectors, brute force, other libraries, and their laws."""

import numpy as np
import pytest
import sklearn.metrics as sklearn
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from torchmetrics.functional.classification import binary_calibration_error

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.failures import FAILURE_METRICS, LIMITS, OF_BOTH, Answers, score
from sourcebench.evaluation.failures.curve import risk_coverage
from sourcebench.seeds import generator

TEN = np.arange(1, 11) / 10
ALL_TIED = np.full(10, 0.5)
VECTORS = [
    # confidences, places of the failures; AURC, AUGRC, the optimum of the AURC, all ×1000
    (TEN, [0, 1], 21.111, 20.000, 21.485),
    (TEN, [8, 9], 525.794, 180.000, 21.485),
    ([0.9, 0.8, 0.7, 0.6], [1], 239.583, 156.250, 34.238),
    (ALL_TIED, [0, 1], 200.000, 100.000, 21.485),
    (ALL_TIED, [8, 9], 200.000, 100.000, 21.485),
    ([0.2, 0.2, 0.5, 0.5, 0.9, 0.9], [0, 2], 138.889, 111.111, 63.023),
    (TEN, [], 0, 0, 0),
    (TEN, range(10), 1000, 500, 1000),
]
"""Of fd-shifts' corrected risk–coverage statistics (`rc_stats`, in its version of October 2024)."""


def answers_of(confidences, failures, probability=False):
    return Answers(np.asarray(confidences), np.asarray(failures, bool), probability)


def drawn(seed, images, steps=0, accuracy=0.7):
    """Confidences in [0, 1] (tied where there are steps), which say something of the failures."""
    rng = generator("failures", seed)
    failures = rng.random(images) > accuracy
    confidences = rng.beta(2 + 2 * ~failures, 2)
    return answers_of(np.round(confidences * steps) / steps if steps else confidences, failures)


@st.composite
def worlds(draw):
    return drawn(
        draw(st.integers(0, 2**20)),
        draw(st.integers(1, 60)),
        draw(st.sampled_from([0, 1, 4])),
        draw(st.sampled_from([0, 0.1, 0.5, 0.9, 1])),
    )


def by_rejecting(answers):
    """Coverage, risk and generalized risk at one threshold after another, and the last again."""
    points = []
    for threshold in sorted(set(answers.confidences)):
        kept = answers.failures[answers.confidences >= threshold]
        points.append((len(kept), kept.sum() / len(kept), kept.sum()))
    points.append((0, points[-1][1], 0))
    n = len(answers.failures)
    coverage, risk, failed = np.array(points).T
    return coverage / n, risk, failed / n


def trapezoids(along, heights):
    steps = zip(along[:-1], along[1:], heights[:-1], heights[1:], strict=True)
    return sum(abs(b - a) * (low + high) / 2 for a, b, low, high in steps)


@pytest.mark.parametrize(("confidences", "wrong", "area", "generalized", "optimum"), VECTORS)
def test_published_vectors(confidences, wrong, area, generalized, optimum):
    failures = np.isin(np.arange(len(confidences)), list(wrong))
    found = score(answers_of(confidences, failures))
    assert 1000 * found["aurc"] == pytest.approx(area, abs=6e-4)
    assert 1000 * found["augrc"] == pytest.approx(generalized, abs=6e-4)
    assert 1000 * (found["aurc"] - found["e_aurc"]) == pytest.approx(optimum, abs=6e-4)
    assert (found["n"], found["failures"]) == (len(failures), failures.sum())


@given(worlds())
@settings(max_examples=60)
def test_areas_and_points_are_those_of_rejecting_one_threshold_after_another(answers):
    coverage, risk, generalized = by_rejecting(answers)
    found = score(answers)
    assert found["aurc"] == pytest.approx(trapezoids(coverage, risk), abs=1e-12)
    assert found["augrc"] == pytest.approx(trapezoids(coverage, generalized), abs=1e-12)
    for percent in (1, 2, 5):
        allowed = coverage[:-1][risk[:-1] <= percent / 100]
        assert found[f"coverage_at_risk_{percent}"] == allowed.max(initial=0)
    assert found["accuracy"] == pytest.approx(1 - answers.failures.mean())
    curve = risk_coverage(answers)
    np.testing.assert_allclose(curve.coverage, coverage)
    np.testing.assert_allclose(curve.risk, risk)
    np.testing.assert_allclose(curve.generalized, generalized)
    np.testing.assert_array_equal(curve.threshold, [*np.unique(answers.confidences), np.inf])


@given(worlds())
@settings(max_examples=60)
def test_auroc_and_fpr_are_scikit_learns(answers):
    found, right = score(answers), ~answers.failures
    if right.all() or not right.any():
        assert np.isnan([found[name] for name in OF_BOTH]).all()
        return
    assert found["failure_auroc"] == pytest.approx(
        sklearn.roc_auc_score(right, answers.confidences)
    )
    false, true, _ = sklearn.roc_curve(right, answers.confidences, drop_intermediate=False)
    assert found["fpr_at_95_tpr"] == pytest.approx(false[true >= 0.95 - 1e-9].min())


@given(worlds())
@settings(max_examples=60)
def test_augrc_is_made_of_accuracy_and_auroc(answers):
    found = score(answers)
    a, auroc = found["accuracy"], np.nan_to_num(found["failure_auroc"], nan=0.5)
    expected = (1 - auroc) * a * (1 - a) + (1 - a) ** 2 / 2
    assert found["augrc"] == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("accuracy", [0.02, 0.6, 0.97])
@pytest.mark.parametrize("images", [50, 3000])
def test_the_calibration_error_is_torchmetrics(accuracy, images):
    made = drawn(("ece", accuracy), images, accuracy=accuracy)
    found = score(Answers(made.confidences, made.failures, probability=True))["ece"]
    other = binary_calibration_error(
        torch.tensor(made.confidences), torch.tensor(~made.failures).long(), n_bins=20
    )
    assert found == pytest.approx(float(other), abs=1e-6)
    assert np.isnan(score(made)["ece"])


def test_the_calibration_error_of_a_hand_computed_case():
    """A bin of 0.95 with one of two right, 1 with the next; an edge belongs to the bin above it."""
    made = answers_of([0.96, 0.98, 0.05, 0.0, 1.0], [True, False, False, True, False], True)
    # Bins: [0.95, 1] has 0.96, 0.98, 1.0, of which two are right; [0.05, 0.1) and [0, 0.05) one.
    expected = (abs(0.96 + 0.98 + 1.0 - 2) + abs(0.05 - 1) + abs(0.0 - 0)) / 5
    assert score(made)["ece"] == pytest.approx(expected)


@given(worlds(), st.integers(0, 99))
@settings(max_examples=60)
def test_the_order_of_the_rows_says_nothing_nor_does_a_monotone_transform(answers, seed):
    order = generator("order", seed).permutation(len(answers.failures))
    ranks = np.unique(answers.confidences, return_inverse=True)[1]
    first = score(answers)
    for confidences in (answers.confidences[order], np.exp(ranks[order] / 9.0), -1.0 / (1 + ranks)):
        failures = answers.failures if confidences[0] < 0 else answers.failures[order]
        assert score(Answers(confidences, failures)) == pytest.approx(first, abs=1e-12, nan_ok=True)
    turned = score(Answers(-answers.confidences, answers.failures))
    if not np.isnan(first["failure_auroc"]):
        assert turned["failure_auroc"] == pytest.approx(1 - first["failure_auroc"])


@given(st.integers(1, 200), st.integers(0, 200), st.integers(0, 99))
@settings(max_examples=60)
def test_a_perfect_ranking_is_the_best_and_its_reverse_the_worst(right, wrong, seed):
    assume(right + wrong >= 2)
    failures = np.arange(right + wrong) >= right
    best = score(answers_of(-np.arange(len(failures)), failures))
    worst = score(answers_of(np.arange(len(failures)), failures))
    mixed = score(answers_of(generator("mixed", seed).normal(size=len(failures)), failures))
    e = failures.mean()
    assert best["augrc"] == pytest.approx(e**2 / 2)
    assert best["e_aurc"] == pytest.approx(0, abs=1 / len(failures))  # of a smooth curve: O(1/n)
    for name in ("aurc", "e_aurc", "augrc"):
        assert best[name] <= mixed[name] + 1e-12
        assert mixed[name] <= worst[name] + 1e-12
    if wrong:
        assert (best["failure_auroc"], worst["failure_auroc"]) == (1, 0)
        assert best["fpr_at_95_tpr"] == 0
        assert worst["fpr_at_95_tpr"] == 1


@given(worlds())
@settings(max_examples=60)
def test_metrics_lie_in_their_limits_and_are_shares_elsewhere(answers):
    for name, value in score(answers).items():
        low, high = LIMITS.get(name, (0, 1))
        assert name in ("n", "failures") or np.isnan(value) or low <= value <= high, name


@pytest.mark.parametrize("wrong", [0, 3, 50, 999, 1000])
def test_two_confidences_that_part_all_failures_are_better_than_the_optimum(wrong):
    failures = np.arange(1000) < wrong
    e = wrong / 1000
    optimum = e + (1 - e) * np.log(1 - e) if e < 1 else 1
    expected = 1.0 if e == 1 else e**2 / 2  # no right answer to be confident of
    assert score(answers_of(~failures, failures))["aurc"] == pytest.approx(expected)
    assert score(answers_of(~failures, failures))["e_aurc"] == pytest.approx(expected - optimum)


def test_confidence_that_says_nothing_has_the_error_rate_as_its_area():
    """Uniform confidences, independent of the failures: the AURC is e, the AUGRC ½ e, on the mean.

    Both have no bias: at each coverage the risk is e on the mean.
    """
    e, values = 0.3, []
    for seed in range(600):
        rng = generator("nothing", seed)
        made = score(answers_of(rng.random(60), rng.random(60) < e))
        values.append([made["aurc"], made["augrc"], made["failure_auroc"]])
    error = np.std(values, axis=0) / np.sqrt(len(values))
    assert (np.abs(np.mean(values, 0) - [e, e / 2, 0.5]) < 4 * error).all()
    assert (error < 0.01).all()


def test_a_world_of_known_metrics():
    """Confidence u is uniform, and a failure as likely as 2e (1 − u).

    The risk at a coverage of c is e c. So the AURC is e / 2, the AUGRC e / 3, the coverage at a
    risk of r is r / e; and the share of the right answers kept is (c − e c²) / (1 − e), that of
    the failures c².
    """
    e, images = 0.25, 200_000
    rng = generator("known")
    u = rng.random(images)
    found = score(Answers(u, rng.random(images) < 2 * e * (1 - u), probability=True))
    kept = (1 - np.sqrt(1 - 4 * e * 0.95 * (1 - e))) / (2 * e)
    expected = {
        "accuracy": 1 - e, "aurc": e / 2, "augrc": e / 3, "fpr_at_95_tpr": kept**2,
        "e_aurc": e / 2 - e - (1 - e) * np.log(1 - e), "coverage_at_risk_5": 0.05 / e,
        "failure_auroc": 1 - (e / 3 - e**2 / 2) / (e * (1 - e)), "ece": (1 - 2 * e) / 2,
    }  # fmt: skip
    for name, value in expected.items():
        assert found[name] == pytest.approx(value, abs=0.006), name


@pytest.mark.parametrize("images", [20, 40, 700])
def test_exactly_enough_is_enough(images):
    """95 % of the right answers, and a risk of exactly 5 %, whatever they are as floats."""
    failures = np.zeros(images, bool)
    failures[19::20] = True
    found = score(answers_of(-np.arange(images), failures))
    assert found["coverage_at_risk_5"] == 1
    right = answers_of(-np.arange(images + 1), np.arange(images + 1) == images * 95 // 100)
    assert score(right)["fpr_at_95_tpr"] == 0
    early = answers_of(-np.arange(images + 1), np.arange(images + 1) == images * 95 // 100 - 1)
    assert score(early)["fpr_at_95_tpr"] == 1


def test_counts_are_there_where_nothing_else_is():
    nothing = score(answers_of([], []))
    assert (nothing.pop("n"), nothing.pop("failures")) == (0, 0)
    assert set(nothing) == set(FAILURE_METRICS)
    assert np.isnan(list(nothing.values())).all()
    curve = risk_coverage(answers_of([], []))
    assert curve.coverage.tolist() == [0]
    assert np.isnan(curve.risk).all()
    for wrong in (False, True):
        found = score(answers_of([0.2, 0.7], [wrong] * 2))
        assert (found["n"], found["failures"]) == (2, 2 * wrong)
        assert {name for name, value in found.items() if np.isnan(value)} == {*OF_BOTH, "ece"}


@pytest.mark.parametrize(
    ("confidences", "failures", "probability", "says"),
    [
        ([0.1, np.nan], [True, False], False, "1 of 2 confidences are not finite"),
        ([0.1, np.inf], [True, False], False, "not finite"),
        ([0.1, 1.1], [True, False], True, r"from 0.1 to 1.1.*without `probability`"),
        ([0.1, -2], [True, False], True, r"outside \[0, 1\]"),
        ([0.1], [True, False], False, r"shape \(1,\) and failures of \(2,\)"),
        ([0.1, 0.2], [0, 1], False, "true or false"),
    ],
)
def test_what_can_not_be_scored_is_said(confidences, failures, probability, says):
    with pytest.raises(SourceBenchError, match=says):
        Answers(np.array(confidences), np.array(failures), probability)


def test_a_probability_may_be_rounded_over_one():
    assert np.isfinite(score(answers_of([1 + 1e-12, 0.5], [False, True], True))["ece"])
