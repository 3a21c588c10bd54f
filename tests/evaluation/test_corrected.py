"""The corrected resampled t-test against its formula and a simulation of what it assumes."""

import numpy as np
import pytest
from scipy import stats

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.corrected import corrected_t

DIFFERENCES = [0.02, 0.05, -0.01, 0.04, 0.03]


def test_it_is_the_formula_by_hand():
    # mean 0.026, squared deviations 0.00212 in all, s² = 0.00053; 1/5 + 1/4 = 0.45
    t, p = corrected_t(DIFFERENCES, 200, 50)
    assert t == pytest.approx(0.026 / (0.45 * 0.00053) ** 0.5)
    # Student's t of four degrees of freedom has its distribution in closed form.
    x = t / np.sqrt(t**2 + 4)
    assert p == pytest.approx(2 * (0.5 - 0.75 * (x - x**3 / 3)))


def test_with_nothing_held_out_it_is_the_paired_t_test():
    expected = stats.ttest_1samp(DIFFERENCES, 0)
    assert corrected_t([*DIFFERENCES, np.nan], 200, 0) == pytest.approx(tuple(expected))


def test_it_is_wrong_as_often_as_it_says_where_folds_go_together():
    rng = np.random.default_rng(0)
    held_out, tests = 0.2, 4_000  # folds' correlation, n_val / (n_train + n_val)
    shared, own = rng.normal(size=(tests, 1)), rng.normal(size=(tests, 5))
    folds = np.sqrt(held_out) * shared + np.sqrt(1 - held_out) * own
    wrong = np.sum([corrected_t(each, 80, 20).p <= 0.05 for each in folds])
    assert stats.binomtest(int(wrong), tests, 0.05).pvalue > 0.01
    assert np.mean(stats.ttest_1samp(folds, 0, axis=1).pvalue <= 0.05) > 0.1


def test_folds_that_agree_have_no_p():
    assert corrected_t([0.1] * 5, 200, 50).t == np.inf
    assert np.isnan(corrected_t([-0.1] * 5, 200, 50).p)
    nothing = corrected_t([0, 0, 0], 200, 50)
    assert np.isnan(nothing.t)
    assert nothing.p == 1


def test_too_few_folds_have_no_test_and_no_images_are_refused():
    assert np.isnan(corrected_t([0.1, np.nan], 200, 50)).all()
    for n_train, n_val in ((0, 50), (200, -1)):
        with pytest.raises(SourceBenchError, match="held out"):
            corrected_t(DIFFERENCES, n_train, n_val)
