"""Statistics against published values, brute force and their own laws."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from scipy import stats

from sourcebench.evaluation.comparisons import holm, permutation_test, smallest_p
from sourcebench.evaluation.intervals import mean_ci
from sourcebench.evaluation.statistics import (
    compare_sources,
    epochs_per_source,
    networks,
    shortcut_drop,
    summary,
)
from synthetic_runs import synthetic_runs

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


def test_compare_sources_tests_every_pair_in_its_family():
    runs = synthetic_runs()
    table = compare_sources(runs)
    assert len(table) == 4 * 6 * 3 * 3  # confounders, p_art, test sets, pairs
    cell = table[
        (table["confounder"] == "denoise")
        & (table["p_art"] == 1)
        & (table["test_set"] == "ood")
        & (table["source_a"] == "imagenet")
        & (table["source_b"] == "radimagenet")
    ].iloc[0]

    def folds(source):
        chosen = runs.query(
            "confounder == 'denoise' and p_art == 1 and test_set == 'ood' and source == @source"
        )
        return chosen["auroc"].to_numpy()

    a, b = folds("imagenet"), folds("radimagenet")
    assert cell["difference"] == pytest.approx(a.mean() - b.mean())
    assert (cell["t"], cell["p"]) == pytest.approx(permutation_test(a, b))
    assert (cell["folds_a"], cell["folds_b"]) == (5, 5)
    family = table[(table["confounder"] == "denoise") & (table["test_set"] == "ood")]
    assert len(family) == 18
    np.testing.assert_allclose(family["p_holm"], holm(family["p"]))


def test_an_undefined_fold_is_left_out_and_counted():
    runs = synthetic_runs(p_art=(1,))
    first = runs["fold"] == 1
    runs.loc[first & (runs["source"] == "imagenet"), "auroc"] = np.nan
    table = compare_sources(runs)
    assert (table.loc[table["source_a"] == "imagenet", "folds_a"] == 4).all()
    assert table["p"].notna().all()


def test_one_source_has_nothing_to_compare_with():
    runs = synthetic_runs().query("source == 'imagenet'")
    table = compare_sources(runs)
    assert table.empty
    assert {"difference", "p", "p_holm"} <= set(table.columns)


def test_summary_agrees_with_mean_ci():
    runs = synthetic_runs(folds=4)
    table = summary(runs, ["auroc", "brier"])
    assert len(table) == 2 * len(runs) / 4
    row = table.query(
        "confounder == 'tag' and source == 'random' and p_art == 0.5 and test_set == 'iid' "
        "and metric == 'auroc'"
    ).iloc[0]
    values = runs.query(
        "confounder == 'tag' and source == 'random' and p_art == 0.5 and test_set == 'iid'"
    )["auroc"]
    assert (row["mean"], row["low"], row["high"]) == pytest.approx(mean_ci(values))
    assert (row["folds"], row["sd"]) == (4, pytest.approx(values.std()))
    assert summary(synthetic_runs(folds=1))["low"].isna().all()


def test_a_further_axis_is_never_averaged_over():
    runs = pd.concat([synthetic_runs().assign(rate=rate) for rate in (0.1, 0.2)])
    assert (summary(runs)["folds"] == 5).all()
    assert (compare_sources(runs)["folds_a"] == 5).all()
    assert (shortcut_drop(runs)["folds"] == 5).all()


def test_shortcut_drop_is_paired_by_fold():
    runs = synthetic_runs()
    level = runs["fold"] / 10  # a difficulty that all of a fold's networks share
    runs["auroc"] = level + np.where(runs["p_art"] == 0, 0.5, 0.5 - 0.3 * runs["p_art"])
    table = shortcut_drop(runs)
    assert table["drop"].to_numpy() == pytest.approx(0.3 * table["p_art"])
    assert (table["high"] - table["low"]).to_numpy() == pytest.approx(0, abs=1e-9)
    assert (table["folds"] == 5).all()
    assert (table["p_art"] > 0).all()
    assert shortcut_drop(runs[runs["p_art"] > 0]).empty


def test_epochs_count_every_network_once():
    runs = synthetic_runs()
    trained = networks(runs)
    # cxr_mass: three confounders share the network with p_art = 0
    assert len(trained.query("task == 'cxr_mass'")) == 3 * 5 * (1 + 3 * 5)
    assert len(trained.query("task == 'cxr_atelectasis'")) == 3 * 5 * 6
    table = epochs_per_source(runs).set_index(["task", "source"])
    row = table.loc[("cxr_mass", "radimagenet")]
    epochs = trained.query("task == 'cxr_mass' and source == 'radimagenet'")["epochs"]
    assert (row["networks"], row["mean"], row["max"]) == (80, epochs.mean(), epochs.max())
    assert row["mean"] > 1.5 * table.loc[("cxr_mass", "imagenet"), "mean"]
