"""Intervals hold the truth as often as they say: the benchmark `coverage.py` in miniature."""

import importlib.util
import sys

import numpy as np
import pytest
from scipy import stats

from conftest import ROOT

STUDIES, DRAWS = 150, 150


@pytest.fixture(scope="module")
def benchmark():
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(ROOT / "benchmarks")
        # By its path: there is a well-known package of its name.
        path = ROOT / "benchmarks" / "coverage.py"
        spec = importlib.util.spec_from_file_location("benchmark_of_coverage", path)
        module = importlib.util.module_from_spec(spec)
        patch.setitem(sys.modules, spec.name, module)
        spec.loader.exec_module(module)
        yield module


@pytest.mark.parametrize(("folds", "shared", "own"), [(5, 0.9, 0.1), (3, 0.4, 0.4)])
def test_intervals_hold_the_truth_as_often_as_they_say(benchmark, folds, shared, own):
    """Within what 95 and 97.5 % of so many studies are, but for one time in two thousand."""
    found = benchmark.covered(benchmark.World(folds, shared, own), STUDIES, DRAWS)
    least = stats.binom.ppf(5e-4, STUDIES, 0.93) / STUDIES
    most = stats.binom.isf(5e-4, STUDIES, 0.07) / STUDIES
    assert len(found) == len(benchmark.STATISTICS)
    for name, each in found.items():
        assert each.held >= least, name
        if name.endswith("none"):
            assert each.found <= most, name
    if shared > 0.5:  # the folds agree about the images, and know nothing of others
        assert found["AUROC 0.85"].by_folds < 0.6


def test_ranks_and_crossings_lie_where_their_intervals_say(benchmark):
    """Of what has a truth without ties; of equal sources there is less to ask for."""
    studies = 60
    found = benchmark.ranked(benchmark.World(5, 0.9, 0.1), studies, DRAWS)
    least = stats.binom.ppf(1e-4, studies, 0.93) / studies
    assert found["area, apart"].truth.tolist() == [2, 1, 3]  # a falls, e less, f more
    assert found["drop, two equal"].truth.tolist() == [2, 2, 1]
    assert found["crossing, all equal"].truth.tolist() == [1, 1, 1]
    assert found["crossing f"].truth == pytest.approx(0.5 * 0.30 / 0.35)
    for name, each in found.items():
        if "equal" not in name:
            assert (each.held >= least).all(), name
    assert found["area, apart"].width < found["area, all equal"].width


def test_an_interval_holds_what_is_inside(benchmark):
    """Its ends too; of three studies and two truths."""
    low = np.array([[1, 2], [1, 1], [2, np.inf]])
    high = np.array([[2, 3], [1, 3], [3, np.inf]])
    found = benchmark.held(np.array([1.0, 3.0]), low, high)
    np.testing.assert_allclose(found.held, [2 / 3, 2 / 3])
    assert found.width == 1  # of 1, 1, 0, 2, 1 and 0


def test_networks_have_the_auroc_that_they_say(benchmark):
    """Of many studies the mean is the truth, of draws too."""
    world = benchmark.World(3, 0.4, 0.4)
    studies = [benchmark.study(world, number, 2) for number in range(300)]
    for name, truth in benchmark.NETWORKS.items():
        for values in ([made[name].mean() for made in each] for each in zip(*studies, strict=True)):
            assert np.mean(values) == pytest.approx(truth, abs=4 * stats.sem(values)), name
