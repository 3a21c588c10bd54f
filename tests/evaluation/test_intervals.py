"""Intervals against closed forms, simulation and their own laws."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.intervals import bounds, mean_ci

# o.o.d. AUC of ImageNet per fold, denoising at p_art = 1, published with the paper
DENOISE = (0.1504, 0.2094, 0.2848, 0.1425, 0.0687)
FOLDS = hnp.arrays(np.float64, st.integers(2, 6), elements=st.floats(0, 1))


def log_odds(share):
    return np.log(share / (1 - share))


def test_without_limits_it_is_the_t_interval():
    mean, low, high = mean_ci(DENOISE, limits=None)
    assert mean == pytest.approx(0.17116)  # 0.17 in Figure 3
    student = stats.t.interval(0.95, 4, loc=mean, scale=stats.sem(DENOISE))
    assert (low, high) == pytest.approx(student)
    assert mean_ci(DENOISE, level=0.5, limits=None).low > low


def test_within_limits_it_is_that_of_the_logit_by_the_delta_method():
    mean, low, high = mean_ci(DENOISE)
    step = 1e-6
    slope = (log_odds(mean + step) - log_odds(mean - step)) / (2 * step)
    scale = slope * stats.sem(DENOISE)
    ends = stats.t.interval(0.95, 4, loc=log_odds(mean), scale=scale)
    assert log_odds(np.array([low, high])) == pytest.approx(ends)
    moved = mean_ci(2 * np.array(DENOISE) - 1, limits=(-1, 1))
    assert moved == pytest.approx([2 * each - 1 for each in (mean, low, high)])


def test_far_from_the_limits_it_is_the_t_interval():
    folds = np.array([0.497, 0.5, 0.504])
    assert mean_ci(folds) == pytest.approx(mean_ci(folds, limits=None), abs=1e-4)


@given(FOLDS)
@settings(deadline=None)
def test_intervals_obey_their_laws(values):
    mean, low, high = mean_ci(values)
    assert 0 <= low <= mean + 1e-9
    assert mean - 1e-9 <= high <= 1
    turned = mean_ci(1 - values)
    assert (turned.low, turned.high) == pytest.approx((1 - high, 1 - low), abs=1e-6)
    half = mean_ci(values, 0.5)
    assert low <= half.low + 1e-9
    assert half.high <= high + 1e-9


def test_folds_that_agree_have_an_interval_without_width():
    for value in (0.0, 0.3, 1.0):
        assert mean_ci([value] * 3) == pytest.approx((value, value, value))
    _, low, high = mean_ci([1, 1, 0.93])
    assert 0 < low < 0.93 < high < 1


@pytest.mark.parametrize("count", [3, 5])
def test_intervals_hold_the_mean_as_often_as_they_say(count):
    rng = np.random.default_rng(0)
    held = {"logit": [], "t": []}
    for mean, spread in ((0.5, 0.08), (0.85, 0.05), (0.95, 0.03), (0.05, 0.04)):
        strength = mean * (1 - mean) / spread**2 - 1
        folds = rng.beta(mean * strength, (1 - mean) * strength, (20_000, count))
        for name, limits in (("logit", (0.0, 1.0)), ("t", None)):
            low, high = bounds(folds.mean(1), folds.std(1, ddof=1), count, 0.95, limits)
            held[name].append(np.mean((low <= mean) & (mean <= high)))
    assert min(held["logit"]) > 0.938
    assert max(held["logit"]) < 0.957
    assert min(held["t"]) < 0.92


def test_a_value_outside_the_limits_is_an_error():
    with pytest.raises(SourceBenchError, match=r"one is 1\.2"):
        mean_ci([0.4, 1.2])


@pytest.mark.parametrize(
    ("values", "mean"), [([], np.nan), ([0.4], 0.4), ([np.nan, 0.4], 0.4), ([np.nan], np.nan)]
)
def test_too_few_folds_have_no_interval(values, mean):
    assert mean_ci(values) == pytest.approx((mean, np.nan, np.nan), nan_ok=True)
