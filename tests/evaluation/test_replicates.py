"""Repeats of a fold are averaged before anything is said over folds; alone they are replicates."""

import numpy as np
import pandas as pd
import pytest

from sourcebench.evaluation.comparisons import permutation_test
from sourcebench.evaluation.intervals import mean_ci
from sourcebench.evaluation.statistics import (
    compare_sources,
    epochs_per_source,
    shortcut_drop,
    summary,
)
from sourcebench.figures import FIGURES
from sourcebench.figures.parts.style import StudyStyle
from synthetic_rethink import rethink_runs
from synthetic_runs import synthetic_runs

CELL = "confounder == 'tag' and source == 'random' and p_art == 1 and test_set == 'ood'"


def once():
    runs = synthetic_runs(p_art=(0, 1), folds=3)
    return runs.assign(auroc=0.9 * runs["auroc"] + 0.005)


def twice():
    """The same folds, in two repeats whose mean is that of `once`."""
    runs = once()
    pair = [runs.assign(repeat=r, auroc=runs["auroc"] + d) for r, d in ((1, -0.005), (2, 0.005))]
    return pd.concat(pair, ignore_index=True)


def test_repeats_of_the_only_fold_are_the_replicates():
    runs = rethink_runs(tasks=("Edema",), archs=("dense",))
    table = summary(runs, ["auroc"]).set_index("source")
    assert len(table) == 2
    values, others = (runs.loc[runs["source"] == name, "auroc"] for name in ("imagenet", "random"))
    row = table.loc["imagenet"]
    assert (row["folds"], row["repeats"]) == (1, 3)
    assert (row["mean"], row["sd"]) == pytest.approx((values.mean(), values.std()))
    assert (row["low"], row["high"]) == pytest.approx(mean_ci(values)[1:])
    (test,) = compare_sources(runs).to_dict("records")
    assert (test["t"], test["p"]) == pytest.approx(permutation_test(values, others))
    assert test["p_smallest"] == pytest.approx(2 / 20)
    assert (test["folds_a"], test["repeats_a"]) == (1, 3)


def test_repeats_are_averaged_in_each_of_several_folds():
    first, second = summary(once(), ["auroc"]), summary(twice(), ["auroc"])
    same = ["mean", "low", "high", "folds"]
    pd.testing.assert_frame_equal(first[same], second[same])
    assert (first["repeats"] == 1).all()
    assert (second["repeats"] == 2).all()
    all_runs = twice().query(CELL)["auroc"]
    assert second.query(CELL).iloc[0]["sd"] == pytest.approx(np.std(all_runs, ddof=1))
    compared, again = compare_sources(once()), compare_sources(twice())
    same = ["mean_a", "mean_b", "t", "p", "p_holm", "p_smallest", "folds_a", "folds_b"]
    pd.testing.assert_frame_equal(compared[same], again[same])
    assert (again["repeats_b"] == 2).all()
    same = ["folds", "drop", "low", "high"]
    pd.testing.assert_frame_equal(shortcut_drop(once())[same], shortcut_drop(twice())[same])


def test_networks_of_all_repeats_are_described_together_and_strategies_apart():
    runs = rethink_runs(tasks=("Edema",), archs=("dense",), transfers=("probe",))
    table = epochs_per_source(runs.assign(epochs=runs["repeat"] * 10))
    assert (table["networks"] == 3).all()
    assert table["sd"].tolist() == pytest.approx([10.0] * 3)
    assert table["transfer"].tolist() == ["full", "probe", "full"]


def test_an_undefined_cell_is_counted_as_empty():
    runs = twice()
    runs.loc[runs.query(CELL).index, "auroc"] = np.nan
    row = summary(runs, ["auroc"]).query(CELL).iloc[0]
    assert (row["folds"], row["repeats"]) == (0, 0)
    assert np.isnan(row["mean"])
    assert (compare_sources(runs).query("folds_b == 0")["p"].isna()).all()


def test_three_folds_stay_in_range():
    table = summary(synthetic_runs(folds=3))
    assert table["low"].min() >= 0
    assert table["high"].max() <= 1


@pytest.mark.parametrize("name", ["figure3", "drop", "permutation"])
def test_figures_show_one_panel_for_all_repeats(name):
    first, second = (FIGURES.get(name)(runs, StudyStyle()) for runs in (once(), twice()))
    assert len(first.axes) == len(second.axes)
    said = [text.get_text() for text in second.findobj(lambda each: hasattr(each, "get_text"))]
    assert any("3 folds, each the mean of 2 repeats" in text for text in said)
