"""What a study could have found, against published values, simulation and Holm's procedure."""

import numpy as np
import pytest
from scipy import stats

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.bootstrap import Estimate
from sourcebench.evaluation.power import detectable


def test_it_is_what_r_documents():
    # ?power.t.test: n = 20 per group, delta = 1, sd = 1 has a power of 0.8689528
    assert detectable(np.sqrt(2 / 20), 38, power=0.8689528) == pytest.approx(1, abs=1e-6)


def test_many_degrees_of_freedom_are_the_normal_distribution():
    normal = stats.norm.isf(0.025) + stats.norm.isf(0.2)
    assert detectable(1, 1e5) == pytest.approx(normal, rel=1e-4)
    assert detectable(1, 4) > 1.3 * normal


@pytest.mark.parametrize(("freedom", "power"), [(1, 0.8), (4, 0.8), (8, 0.5), (57, 0.9)])
def test_so_often_is_it_found(freedom, power):
    rng = np.random.default_rng(0)
    studies, se = 40_000, 0.03
    seen = detectable(se, freedom, power=power) + se * rng.normal(size=studies)
    errors = se * np.sqrt(rng.chisquare(freedom, studies) / freedom)
    found = np.sum(np.abs(seen / errors) >= stats.t.isf(0.025, freedom))
    assert stats.binomtest(int(found), studies, power).pvalue > 0.01


def test_it_goes_over_arrays():
    table = detectable([[0.01], [0.02]], [2, 4, np.nan, 0])
    assert table.shape == (2, 4)
    assert table[1] == pytest.approx(2 * table[0], nan_ok=True)
    assert table[0, 1] == pytest.approx(detectable(0.01, 4))
    assert table[0, 0] > table[0, 1]
    assert np.isnan(table[:, 2:]).all()
    assert np.isnan(detectable(np.nan, 4))


@pytest.mark.parametrize(("level", "power"), [(0, 0.8), (0.05, 0.05), (0.05, 1)])
def test_a_power_lies_above_its_level(level, power):
    with pytest.raises(SourceBenchError, match="above its level"):
        detectable(1, 4, level, power)


@pytest.mark.parametrize(("se", "freedom"), [(0.03, 6), (0.1, 8), (0.12, 40)])
def test_on_the_scale_of_the_logit_it_is_found_about_as_often(se, freedom):
    rng = np.random.default_rng(1)
    true = float(detectable(se, freedom, limits=(-1, 1)))
    assert true > detectable(se, freedom)
    seen = np.clip(true + se * rng.normal(size=20_000), -0.999, 0.999)
    errors = se * np.sqrt(rng.chisquare(freedom, 20_000) / freedom)
    each = Estimate(seen, errors, np.full(20_000, float(freedom)), np.zeros(20_000), 30)
    assert np.mean(each.p((-1, 1)) <= 0.05) == pytest.approx(0.8, abs=0.06)


def test_between_limits_there_may_be_nothing_to_find():
    # On that scale no difference is more than 0.448 standard errors of 1 from 0.
    assert detectable(0.15, 40, limits=(-1, 1)) < 1
    assert np.isnan(detectable(0.25, 40, limits=(-1, 1)))
