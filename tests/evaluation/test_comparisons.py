"""Tests of two samples, and Holm's correction: published values, brute force, their own laws."""

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from sourcebench.evaluation.comparisons import holm, permutation_test, smallest_p

# o.o.d. AUC ×100 of ImageNet per fold, published with the paper
DENOISE = {
    0.1: (55.06, 85.50, 89.09, 87.62, 82.20),
    0.5: (60.49, 60.73, 59.25, 54.32, 54.17),
    1: (15.04, 20.94, 28.48, 14.25, 6.87),
}
TAG_HALF = (43.69, 43.48, 12.64, 36.81, 52.40)
SAMPLES = hnp.arrays(np.float64, 5, elements=st.floats(0, 1).map(lambda x: round(x, 3)))
LEVELS = hnp.arrays(np.float64, st.integers(1, 30), elements=st.floats(1e-6, 1))


def brute_force(a, b):
    """Try all ways to part the values and compare |t|, as the definition says."""
    pool = np.concatenate([a, b])
    observed = abs(stats.ttest_ind(a, b).statistic)
    hits, ways = 0, list(combinations(range(len(pool)), len(a)))
    for chosen in ways:
        mask = np.isin(np.arange(len(pool)), chosen)
        hits += abs(stats.ttest_ind(pool[mask], pool[~mask]).statistic) >= observed - 1e-9
    return hits / len(ways), len(ways)


# Second samples of the kind RadImageNet's must have been, for the published first ones.
@pytest.mark.parametrize(
    ("a", "b"),
    [
        (DENOISE[0.1], (81.0, 84.0, 88.5, 79.2, 86.1)),
        (DENOISE[0.5], (75.0, 80.1, 60.0, 71.2, 83.0)),
        (DENOISE[1], (65.0, 70.1, 72.0, 61.2, 73.0)),
        (TAG_HALF, (40.0, 39.5, 60.2, 44.4, 51.3)),
        ((0.1, 0.2, 0.4), (0.3, 0.35, 0.5, 0.9)),
    ],
)
def test_permutation_test_is_exact(a, b):
    t, p = permutation_test(a, b)
    expected, ways = brute_force(np.array(a), np.array(b))
    assert t == pytest.approx(stats.ttest_ind(a, b).statistic)
    assert p == pytest.approx(expected)
    assert smallest_p(len(a), len(b)) == pytest.approx((1 + (len(a) == len(b))) / ways)


def test_best_p_of_five_folds_is_the_published_one():
    _, p = permutation_test(DENOISE[1], np.array(DENOISE[1]) + 53)
    assert p == pytest.approx(2 / 252) == smallest_p(5, 5)  # 0.0079 in the paper's tables


@given(SAMPLES, SAMPLES)
@settings(max_examples=60, deadline=None)
def test_permutation_test_obeys_its_laws(a, b):
    t, p = permutation_test(a, b)
    back = permutation_test(b, a)
    assert 2 / 252 - 1e-12 <= p <= 1
    assert (back.t, back.p) == pytest.approx((-t, p), nan_ok=True)
    assert np.isnan(t) or np.sign(t) == np.sign(a.mean() - b.mean()) or abs(t) < 1e-6


def test_ties_do_not_hang_on_the_order_of_summation():
    a, b = np.array([0, 1, 1, 0.188, 0.188]), np.array([0, 1, 1, 0.188, 0.172])
    # In thousandths the sums are whole numbers, and exact.
    expected, _ = brute_force(np.round(a * 1000), np.round(b * 1000))
    assert permutation_test(a, b).p == pytest.approx(expected)
    assert permutation_test(b, a).p == pytest.approx(expected)


def test_samples_without_variance_are_tested_too():
    assert permutation_test([1] * 5, [1] * 5).p == 1
    apart = permutation_test([1] * 5, [0] * 5)
    assert apart.t == np.inf
    assert apart.p == pytest.approx(2 / 252)


def test_too_few_folds_have_no_p():
    assert np.isnan(permutation_test([0.3], [0.2, 0.4])).all()
    assert np.isnan(smallest_p(1, 2))


def test_many_folds_are_drawn_from_a_named_seed():
    a, b = np.linspace(0.3, 0.7, 12), np.linspace(0.4, 0.8, 12)
    first, again = permutation_test(a, b), permutation_test(a, b)
    assert first == again
    assert first.p == pytest.approx(stats.ttest_ind(a, b).pvalue, abs=0.03)


@given(LEVELS)
def test_holm_obeys_its_laws(raw):
    adjusted = holm(raw)
    assert (adjusted >= raw).all()
    assert (adjusted <= np.minimum(raw * len(raw), 1) + 1e-12).all()
    assert (np.diff(adjusted[np.argsort(raw, kind="stable")]) >= 0).all()
    with_gap = holm(np.append(raw, np.nan))
    assert np.isnan(with_gap[-1])
    np.testing.assert_array_equal(with_gap[:-1], adjusted)


@given(LEVELS, st.sampled_from([0.01, 0.05, 0.2]))
def test_holm_rejects_what_the_step_down_procedure_rejects(raw, level):
    rejected = set()
    for step, index in enumerate(np.argsort(raw, kind="stable")):
        if raw[index] * (len(raw) - step) > level:
            break
        rejected.add(index)
    assert set(np.flatnonzero(holm(raw) <= level)) == rejected


def test_holm_on_the_textbook_example():
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
