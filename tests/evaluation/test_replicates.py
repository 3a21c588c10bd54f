"""Repeats of a fold are averaged before anything is said over folds; alone they are replicates."""

import json

import numpy as np
import pandas as pd
import pytest

from sourcebench.evaluation.cells import cells
from sourcebench.evaluation.comparisons import permutation_test
from sourcebench.evaluation.costs import shortcut_drop
from sourcebench.evaluation.counterfactual import counterfactual
from sourcebench.evaluation.encoded_used_paid import encoded_used_paid
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.replicates import replicates, sizes, unit
from sourcebench.evaluation.runs_table import runs_table
from sourcebench.evaluation.statistics import compare_sources, epochs_per_source, summary
from synthetic_predictions import images_of, write_study

MEANS = {"imagenet": (0.86, 0.3), "random": (0.7, 0.6)}
IMAGES = images_of(12, 18)
CELL = "source == 'random' and p_art == 1 and test_set == 'ood'"


@pytest.fixture(scope="module")
def repeated(tmp_path_factory):
    """Three repeats of the only fold."""
    folder = tmp_path_factory.mktemp("repeated")
    folders = write_study(folder, MEANS, folds=1, repeats=3, p_art=(0, 1), images=IMAGES)
    return Evidence.of(folders, "tag", ["repeat"], draws=60)


@pytest.fixture(scope="module")
def both(tmp_path_factory):
    """Two folds, once in one repeat, and once in two that are the same."""
    folders = write_study(
        tmp_path_factory.mktemp("once"), MEANS, folds=2, p_art=(0, 1), images=IMAGES
    )
    again = tmp_path_factory.mktemp("twice")
    copies = []
    for number, folder in enumerate(folders):
        record = json.loads((folder / "run.json").read_text())
        for repeat in (1, 2):
            copies.append(again / f"{number}-{repeat}")
            copies[-1].mkdir()
            made = (folder / "predictions.parquet").read_bytes()
            (copies[-1] / "predictions.parquet").write_bytes(made)
            (copies[-1] / "run.json").write_text(json.dumps({**record, "repeat": repeat}))
    return Evidence.of(folders, "tag", draws=60), Evidence.of(copies, "tag", ["repeat"], draws=60)


def auroc(evidence, source):
    rows = evidence.runs.query(CELL.replace("random", source))
    return rows.sort_values(["repeat", "fold"])["auroc"].to_numpy()


def test_repeats_of_the_only_fold_are_the_replicates(repeated):
    assert unit(repeated.runs) == "repeat"
    row = summary(repeated, ["auroc"]).query(CELL).iloc[0]
    values, others = auroc(repeated, "random"), auroc(repeated, "imagenet")
    assert (row["folds"], row["repeats"]) == (1, 3)
    assert (row["mean"], row["sd"]) == pytest.approx((values.mean(), values.std(ddof=1)))
    assert row["low"] < row["mean"] < row["high"]
    table = compare_sources(repeated).query("p_art == 1 and test_set == 'ood' and of == 'auroc'")
    (test,) = table.to_dict("records")
    assert (test["t"], test["p_permutation"]) == pytest.approx(permutation_test(others, values))
    assert test["difference"] == pytest.approx((others - values).mean())
    assert test["p_smallest"] == pytest.approx(2 / 20)
    assert (test["folds_a"], test["repeats_a"]) == (1, 3)
    assert np.isnan(test["p_corrected"])  # they train on the same images
    assert (shortcut_drop(repeated)["repeats"] == 3).all()


def test_every_network_of_every_repeat_is_there_by_itself(repeated):
    table = counterfactual(repeated)
    assert len(table) == 2 * 2 * 3 * 3
    assert table.groupby(["source", "p_art", "class"])["repeat"].nunique().eq(3).all()
    cells = encoded_used_paid(repeated)
    assert (cells[["folds", "repeats"]] == (1, 3)).all(axis=None)
    mean = table[table["class"] == "all"].groupby(["source", "p_art"])["probability"].mean()
    assert cells.set_index(["source", "p_art"])["used"].to_dict() == pytest.approx(mean.to_dict())


def test_repeats_are_averaged_in_each_of_several_folds(both):
    """Runs that are taken twice say no more than once."""
    once, twice = both
    assert unit(twice.runs) == "fold"
    first, second = summary(once), summary(twice)
    assert (first["repeats"] == 1).all()
    assert (second["repeats"] == 2).all()
    same = ["metric", "mean", "low", "high", "folds"]
    pd.testing.assert_frame_equal(first[same], second[same])
    row = second.query(f"{CELL} and metric == 'auroc'").iloc[0]
    assert row["sd"] == pytest.approx(np.std(auroc(twice, "random"), ddof=1))
    for table in (compare_sources, shortcut_drop, encoded_used_paid):
        one, other = (table(each) for each in both)
        kept = [name for name in one if not name.startswith("repeats")]
        pd.testing.assert_frame_equal(one[kept], other[kept])
        counted = [name for name in one if name.startswith("repeats")]
        assert (other[counted] == 2).all(axis=None)


def test_cells_average_what_there_is_by_hand():
    runs = pd.DataFrame({
        "task": "t", "source": list("aaaabb"), "fold": [1, 1, 2, 2, 1, 2],
        "repeat": [1, 2, 1, 2, 1, 1], "auroc": [0.5, 0.7, np.nan, 0.9, np.nan, 0.4],
    })  # fmt: skip
    draws = np.arange(12, dtype=np.float32).reshape(6, 2)
    found = cells(runs, ["task", "source"], runs["auroc"].to_numpy(), draws)
    assert found.keys.to_numpy().tolist() == [["t", "a"], ["t", "b"]]
    np.testing.assert_allclose(found.values, [[0.6, 0.9], [np.nan, 0.4]])
    np.testing.assert_allclose(found.draws[0], [[1, 2], [6, 7]])
    np.testing.assert_allclose(found.draws[1], [[np.nan, np.nan], [10, 11]])
    assert found.folds.tolist() == [2, 1]
    assert found.repeats.tolist() == [2, 1]
    less = found.at(np.array([0])).less(found.at(np.array([1])))
    np.testing.assert_allclose(less.values, [[np.nan, 0.5]])
    assert found.where(source="b").keys.to_numpy().tolist() == [["t"]]
    assert replicates(runs, ["auroc"])["auroc"].tolist() == pytest.approx(
        [0.6, 0.9, np.nan, 0.4], nan_ok=True
    )
    assert sizes(runs, "auroc", ["source"]).to_numpy().tolist() == [[2, 2], [1, 1]]


def test_networks_of_all_repeats_are_described_together_and_strategies_apart(repeated):
    runs = runs_table(repeated)
    runs = runs.assign(epochs=runs["repeat"] * 10)
    strategies = pd.concat([runs.assign(transfer=name) for name in ("full", "probe")])
    table = epochs_per_source(strategies[["transfer", *runs]])
    assert len(table) == 2 * 2
    assert (table["networks"] == 2 * 3).all()
    assert table["sd"].tolist() == pytest.approx([np.std([10, 20, 30] * 2, ddof=1)] * 4)
    assert sorted(table["transfer"]) == ["full", "full", "probe", "probe"]
