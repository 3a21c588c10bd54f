"""Estimates over replicates and patients: closed forms, simulation and their own laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sourcebench.evaluation.bootstrap import Estimate, estimate, joint, replicate_weights
from sourcebench.evaluation.intervals import mean_ci
from sourcebench.evaluation.resampling import Patients
from sourcebench.seeds import generator

IDS = np.arange(40).astype(str)


def drawn_means(values, draws, name="bootstrap"):
    """Means over patients of F×P values, and those on draws of the patients (F×B)."""
    weights = Patients(IDS, draws, name).weights(IDS)
    return values.mean(1), values @ weights / len(IDS)


def crossed(seed, folds, of_fold=1.0, of_patient=1.0, noise=1.0):
    """Values of a balanced crossed design: fold + patient + both (F×P)."""
    rng = generator("crossed", seed)
    effects = of_fold * rng.normal(size=(folds, 1)), of_patient * rng.normal(size=(1, len(IDS)))
    return sum(effects) + noise * rng.normal(size=(folds, len(IDS)))


def anova(values):
    """The variance of the mean by the mean squares of a two-way random model.

    E(MSf) = σ² + P σf², E(MSp) = σ² + F σp², E(MSe) = σ²: the mean has the variance
    σf²/F + σp²/P + σ²/(FP) = (MSp + MSf − MSe) / (FP), of which the part of the folds is not
    negative. Draws have the variance of the P patients, (P − 1)/P of a sample's.
    """
    folds, patients = values.shape
    centre, of_fold, of_patient = values.mean(), values.mean(1), values.mean(0)
    rest = values - of_fold[:, None] - of_patient + centre
    ms_fold = patients * of_fold.var(ddof=1)
    ms_patient = folds * of_patient.var()
    ms_rest = (rest**2).sum() / (folds - 1) / patients
    return (ms_patient + max(ms_fold - ms_rest, 0)) / values.size


@pytest.mark.parametrize("folds", [2, 5])
@pytest.mark.parametrize("effects", [(1, 1, 1), (0.1, 2, 1), (0.05, 0.5, 2), (1, 0.05, 1)])
def test_the_variance_is_that_of_the_analysis_of_variance(folds, effects):
    cells = [crossed(seed, folds, *effects) for seed in range(6)]
    made = [drawn_means(each, 20_000) for each in cells]
    found = estimate(*(np.stack(each) for each in zip(*made, strict=True)), len(IDS))
    for number, values in enumerate(cells):
        expected = anova(values)
        assert found.mean[number] == pytest.approx(values.mean())
        assert found.se[number] ** 2 == pytest.approx(expected, rel=0.04)


@pytest.mark.parametrize("folds", [1, 3])
def test_folds_that_say_the_same_are_as_sure_as_one(folds):
    values = np.repeat(crossed(0, 1), folds, axis=0)
    found = estimate(*drawn_means(values, 20_000), len(IDS))
    assert found.se == pytest.approx(stats.sem(values[0]), rel=0.04)
    assert found.freedom == pytest.approx(len(IDS) - 1)
    assert found.shrink == 0


def test_without_patients_that_matter_it_is_the_interval_over_folds():
    folds = np.array([0.82, 0.85, 0.91])
    still = np.repeat(folds[:, None], 50, axis=1)
    for draws in (still, np.full((3, 50), np.nan)):  # as of a metric that is not scored on draws
        found = estimate(folds, draws, 31)
        assert (found.mean, *found.interval((0, 1))) == pytest.approx(mean_ci(folds))
        assert (found.freedom, found.shrink) == pytest.approx((2, 1))


@pytest.mark.parametrize("draws", [np.full((1, 1), np.nan), np.full((1, 50), np.nan)])
def test_one_replicate_without_draws_has_no_interval(draws):
    for value in (0.8, 1.0):
        found = estimate(np.array([value]), draws, 31)
        assert found.mean == value
        assert np.isnan(
            [found.se, found.p(None), *found.interval((0, 1)), *found.interval(None)]
        ).all()


def test_replicates_without_a_value_are_left_out():
    values = crossed(1, 5)
    means, draws = drawn_means(values, 500)
    gaps = np.array([False, True, False, True, False])
    means[gaps], draws[gaps] = np.nan, np.nan
    found, expected = (estimate(means[at], draws[at], 40) for at in (slice(None), ~gaps))
    for name in ("mean", "se", "freedom", "shrink"):
        assert getattr(found, name) == pytest.approx(getattr(expected, name)), name
    nothing = estimate(np.full(3, np.nan), np.full((3, 500), np.nan), 40)
    assert np.isnan([nothing.mean, nothing.se, nothing.p(None), *nothing.interval((0, 1))]).all()


def test_draws_without_a_value_are_left_out_where_any_replicate_lacks_one():
    means, draws = drawn_means(crossed(2, 3), 600)
    draws[:, 100:300] = np.nan
    draws[1, 300:] = np.nan
    found, expected = estimate(means, draws, 40), estimate(means, draws[:, :100], 40)
    assert found.se == pytest.approx(float(expected.se))


def test_cells_are_estimated_as_each_by_itself():
    each = [drawn_means(crossed(seed, 4), 200) for seed in range(6)]
    values, draws = (
        np.stack(part).reshape(2, 3, *part[0].shape) for part in zip(*each, strict=True)
    )
    found = estimate(values, draws, 40)
    for place, (one, its) in zip(np.ndindex(2, 3), each, strict=True):
        alone = estimate(one, its, 40)
        for name in ("mean", "se", "freedom", "shrink"):
            assert getattr(found, name)[place] == pytest.approx(float(getattr(alone, name)))


@given(st.floats(-2, 2), st.floats(1e-3, 2), st.floats(1, 60))
def test_p_is_under_five_percent_where_the_t_interval_excludes_no_effect(mean, se, freedom):
    found = Estimate(*map(np.array, (mean, se, freedom, 1.0)), 30)
    low, high = stats.t.interval(0.95, freedom, mean, se)
    assert found.interval(None) == pytest.approx((low, high))
    if abs(found.p(None) - 0.05) > 1e-6:
        assert (found.p(None) < 0.05) == (low > 0 or high < 0)
    assert found.p(None) == pytest.approx(2 * (1 - stats.t.cdf(abs(mean) / se, freedom)), abs=1e-9)


@given(st.floats(-0.99, 0.99), st.floats(1e-3, 2), st.floats(1, 60))
def test_p_and_the_interval_inside_limits_agree(mean, se, freedom):
    """Both are on the scale of the logit: 0 is outside the one where the other is under 0.05."""
    found = Estimate(*map(np.array, (mean, se, freedom, 1.0)), 30)
    low, high = found.interval((-1, 1))
    if abs(found.p((-1, 1)) - 0.05) > 1e-6 and abs(mean) > 1e-9:
        assert (found.p((-1, 1)) < 0.05) == (low > 0 or high < 0)


def test_where_nothing_varied_so_many_who_agree_leave_room_for_others():
    """Twenty patients, all ranked rightly from one source and wrongly from the other."""
    sure = Estimate(*map(np.array, (1.0, 0.0, 19.0, 0.0)), 20)
    found = sure.cautious((-2, 2), np.array(True))
    low, high = found.interval((-2, 2))
    assert 0 < low < 1 < high < 2
    assert 0 < found.p((-2, 2)) < 0.05
    even = Estimate(*map(np.array, (0.0, 0.0, 19.0, 0.0)), 20)
    assert even.interval((-2, 2)) == pytest.approx((0, 0))  # the same networks
    even = even.cautious((-2, 2), np.array(True))
    assert even.p((-2, 2)) == 1
    assert even.interval((-2, 2))[1] == pytest.approx(2 * (1 - 0.025 ** (1 / 20)), rel=0.1)


@given(
    st.floats(1e-9, 1 - 1e-9) | st.sampled_from([0, 1]),
    st.floats(1e-3, 0.5), st.floats(1, 60), st.integers(2, 900),
    st.sampled_from([(0.0, 1.0), (-1.0, 1.0), (-2.0, 2.0)]),
)  # fmt: skip
def test_an_interval_holds_its_mean_and_keeps_its_limits(share, se, freedom, patients, limits):
    mean = limits[0] + share * (limits[1] - limits[0])
    found = Estimate(*map(np.array, (mean, se, freedom, 1.0)), patients)
    low, high = found.interval(limits)
    assert limits[0] <= low <= mean + 1e-9
    assert mean - 1e-9 <= high <= limits[1]
    half = found.interval(limits, 0.5)
    assert low <= half[0] + 1e-9
    assert half[1] <= high + 1e-9


@pytest.mark.parametrize("folds", [1, 3, 5, 6, 7, 10])
def test_patients_who_all_agree_have_the_bound_of_clopper_and_pearson(folds):
    ones, draws = np.ones(folds), np.ones((folds, 20))
    exact = stats.binomtest(31, 31).proportion_ci(0.95, "exact").low
    best, worst = estimate(ones, draws, 31), estimate(0 * ones, 0 * draws, 31)
    assert best.interval((0, 1)) == pytest.approx((exact, 1))
    assert worst.interval((0, 1)) == pytest.approx((0, 1 - exact))
    assert best.interval((-1, 1)) == pytest.approx((2 * exact - 1, 1))  # a drop from 1 to 0
    assert best.interval((-1, 1), 0.5)[0] > best.interval((-1, 1))[0]
    assert np.isfinite(best.interval(None)).all()


def test_what_is_almost_a_limit_is_one():
    weights = np.array([0.1, 0.2, 0.3, 0.4])  # of the curve's points: their sum is 1 − 1e-16
    almost = estimate(np.full(3, 1 - 1e-15), np.full((3, 20), weights.sum()), 31)
    exact = stats.binomtest(31, 31).proportion_ci(0.95, "exact").low
    assert almost.interval((0, 1)) == pytest.approx((exact, 1))
    inside = estimate(np.full(3, 0.999), np.full((3, 20), 0.999), 31)
    assert inside.interval((0, 1)) == pytest.approx((0.999, 0.999))


@pytest.mark.parametrize("missing", [0, 2])
def test_joint_draws_have_the_variance_of_the_estimate(missing):
    cells = [drawn_means(crossed(seed, 6, of_fold=0.3), 20_000) for seed in range(5)]
    values, draws = (np.stack(part) for part in zip(*cells, strict=True))
    values[:, :missing], draws[:, :missing] = np.nan, np.nan
    found = estimate(values, draws, 40)
    weights = replicate_weights(6, 20_000, generator("joint"))
    together = joint(values, draws, found.shrink, weights)
    assert together.shape == (5, 20_000)
    assert together.mean(1) == pytest.approx(found.mean, abs=0.02)
    assert together.var(1) == pytest.approx(found.se**2, rel=0.06)


@pytest.mark.parametrize("count", [2, 3, 5])
def test_weights_of_replicates_have_the_variance_of_their_mean(count):
    weights = replicate_weights(count, 60_000, generator("weights", count))
    assert weights.sum(0) == pytest.approx(np.ones(60_000))
    values = generator("values", count).normal(size=count)
    drawn = values @ weights
    assert drawn.mean() == pytest.approx(values.mean(), abs=0.02)
    assert drawn.var() == pytest.approx(values.var(ddof=1) / count, rel=0.03)
    assert replicate_weights(1, 4, generator("weights")).tolist() == [[1] * 4]


@settings(max_examples=30)
@given(st.integers(0, 1000), st.floats(-3, 3), st.floats(0.1, 5))
def test_an_estimate_moves_and_stretches_with_its_values(seed, by, times):
    means, draws = drawn_means(crossed(seed, 3), 100)
    first, moved = estimate(means, draws, 40), estimate(by + times * means, by + times * draws, 40)
    assert moved.mean == pytest.approx(float(by + times * first.mean))
    assert moved.se == pytest.approx(float(times * first.se))
    assert moved.freedom == pytest.approx(float(first.freedom))
