"""Scores and ranks of sources, by hand from the predictions."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import roc_auc_score

from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.leaderboard import RANKS, crossing, leaderboard
from synthetic_predictions import images_of, write_study

MEANS = {"none": (0.5, 0.5), "weak": (0.85, 0.1), "robust": (0.9, 0.8)}
SHARES = (0, 0.2, 1)


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    folder = tmp_path_factory.mktemp("study")
    return Evidence.of(
        write_study(folder, MEANS, folds=3, p_art=SHARES, images=images_of(20, 30)),
        "tag",
        draws=300,
    )


@pytest.fixture(scope="module")
def board(evidence):
    return leaderboard(evidence)


def part(evidence, there):
    predictions = [each for each, kept in zip(evidence.predictions, there, strict=True) if kept]
    some = replace(
        evidence, runs=evidence.runs[there].reset_index(drop=True), predictions=predictions
    )
    some.__dict__["drawn"] = {name: each[there] for name, each in evidence.drawn.items()}
    return some


def answers(evidence, source, share, test_set):
    """The predictions of a cell's folds."""
    runs = evidence.runs
    there = (runs["source"] == source) & (runs["p_art"] == share) & (runs["test_set"] == test_set)
    return [evidence.predictions[row] for row in np.flatnonzero(there)]


def margins(predictions):
    return predictions["logit_1"] - predictions["logit_0"]


def aurocs(evidence, source, share, test_set):
    return np.array([
        roc_auc_score(each["label"], margins(each))
        for each in answers(evidence, source, share, test_set)
    ])  # fmt: skip


def value(board, source, score):
    (row,) = board[(board["source"] == source) & (board["score"] == score)].to_dict("records")
    return row


@pytest.mark.parametrize("source", MEANS)
def test_scores_are_those_by_hand(evidence, board, source):
    curve = [aurocs(evidence, source, share, "ood").mean() for share in SHARES]
    assert value(board, source, "area")["value"] == pytest.approx(np.trapezoid(curve, SHARES))
    assert value(board, source, "drop")["value"] == pytest.approx(curve[0] - curve[-1])
    iid = aurocs(evidence, source, 1, "iid")
    assert value(board, source, "gap")["value"] == pytest.approx(iid.mean() - curve[-1])
    sets = [aurocs(evidence, source, 1, name) for name in ("iid", "ood", "clean", "artifact")]
    assert value(board, source, "worst_auroc")["value"] == pytest.approx(np.min(sets, 0).mean())
    accuracies = []
    for name in ("clean", "artifact"):
        for each in answers(evidence, source, 1, name):
            right = (margins(each) > 0) == (each["label"] == 1)
            accuracies.append(right.groupby(each["label"]).mean().min())
    worst = np.reshape(accuracies, (2, 3)).min(0).mean()
    assert value(board, source, "worst_accuracy")["value"] == pytest.approx(worst)
    ood = answers(evidence, source, 1, "ood")
    recall = np.mean([(margins(each[each["label"] == 1]) > 0).mean() for each in ood])
    specificity = np.mean([(margins(each[each["label"] == 0]) <= 0).mean() for each in ood])
    assert value(board, source, "recall")["value"] == pytest.approx(recall)
    assert value(board, source, "specificity")["value"] == pytest.approx(specificity)
    third = [np.sort(margins(each[each["label"] == 0]))[-4] for each in ood]  # 3 of 30 above it
    found = [
        (margins(each[each["label"] == 1]) > bound).mean()
        for each, bound in zip(ood, third, strict=True)
    ]
    assert value(board, source, "sensitivity")["value"] == pytest.approx(np.mean(found))


def test_every_interval_holds_its_value(board):
    ends = board[["low", "value", "high"]].to_numpy()
    assert (board["p_art"] == 1).all()
    for low, middle, high in ends:
        assert low <= middle <= high
    assert set(board["score"]) == {
        "area", "crossing", "drop", "gap", "worst_auroc", "worst_accuracy", "recall",
        "specificity", "sensitivity",
    }  # fmt: skip


def test_sources_without_skill_have_no_rank_and_count_for_no_other(board):
    for _, rows in board.groupby("score"):
        rows = rows.set_index("source")
        assert rows["skilled"].to_dict() == {"none": "no", "weak": "yes", "robust": "yes"}
        assert rows.loc["none", ["rank", "rank_low", "rank_high"]].isna().all()
        assert sorted(rows["rank"].dropna()) in ([1, 2], [1, 1])
    for score in ("area", "drop", "gap", "worst_auroc", "crossing"):
        assert value(board, "robust", score)["rank"] == 1
        assert value(board, "robust", score)["rank_high"] == 1
        assert value(board, "weak", score)["rank_low"] == 2


def test_ranks_are_those_of_the_values_among_as_many_sources(tmp_path):
    means = {"a": (0.9, 0.5), "b": (0.88, 0.7), "c": (0.95, 0.2), "d": (0.9, 0.55)}
    folders = write_study(tmp_path, means, folds=4, p_art=(0, 1), images=images_of(40, 40))
    board = leaderboard(Evidence.of(folders, "tag", draws=200))
    for score, rows in board.groupby("score"):
        sign = 1 if score in ("drop", "gap") else -1
        expected = stats.rankdata(sign * rows["value"], "min")
        np.testing.assert_array_equal(rows["rank"], expected)
        assert (rows["rank_low"] <= rows["rank_high"]).all()
        assert rows["rank_low"].min() == 1
        assert rows["rank_high"].max() <= 4
    area = board[board["score"] == "area"].set_index("source")
    assert area.loc["c", "rank_low"] == 4  # far from the others, in every draw
    assert area.loc["d", "rank_low"] < area.loc["d", "rank_high"]  # as good as another


def test_two_of_the_same_networks_share_their_rank(tmp_path):
    folders = write_study(tmp_path, {"a": (0.9, 0.5), "b": (0.9, 0.5)}, folds=2, p_art=(0, 1))
    for one, other in zip(folders[:4], folders[4:], strict=True):
        (other / "predictions.parquet").write_bytes((one / "predictions.parquet").read_bytes())
    board = leaderboard(Evidence.of(folders, "tag", draws=50))
    assert (board[["rank", "rank_low", "rank_high"]] == 1).all(axis=None)


def test_what_a_study_lacks_leaves_the_other_scores(evidence, board):
    without = part(evidence, evidence.runs["test_set"].isin(["iid", "ood"]))
    assert set(board["score"]) - set(leaderboard(without)["score"]) == {"worst_accuracy"}
    gone = (evidence.runs["source"] == "weak") & (evidence.runs["p_art"] == 1)
    some = leaderboard(part(evidence, ~gone))
    assert some.loc[some["source"] == "weak", ["value", "low", "rank"]].isna().all(axis=None)
    robust = some[some["source"] == "robust"]
    assert robust[["value", "low", "high"]].notna().all(axis=None)
    assert robust[list(RANKS)].isna().all(axis=None)  # nobody is left to be ranked with
    pd.testing.assert_series_equal(
        robust["value"].reset_index(drop=True),
        board.loc[board["source"] == "robust", "value"].reset_index(drop=True),
    )
    late = (evidence.runs["test_set"] == "clean") & (evidence.runs["p_art"] == 1)
    later = leaderboard(part(evidence, ~late))
    expected = np.min([aurocs(evidence, "weak", 1, name) for name in ("iid", "ood", "artifact")], 0)
    assert value(later, "weak", "worst_auroc")["value"] == pytest.approx(expected.mean())
    empty = leaderboard(part(evidence, evidence.runs["p_art"] > 0))
    assert empty.empty
    assert list(empty) == list(board)


@pytest.mark.parametrize(("curve", "place"), [
    ((0.9, 0.7, 0.3), 0.2 + 0.8 * 0.5),  # halfway between 0.2 and 1
    ((0.9, 0.4, 0.3), 0.2 * 0.4 / 0.5),
    ((0.9, 0.4, 0.8), 0.2 * 0.4 / 0.5),  # the first time
    ((0.9, 0.5, 0.8), 0.2),
    ((0.9, 0.7, 0.6), np.inf),
    ((0.5, 0.7, 0.6), 0),
    ((0.4, 0.3, 0.2), 0),
    ((0.9, 0.7, 0.5), 1),
    ((0.9, np.nan, 0.3), np.nan),
])  # fmt: skip
def test_a_crossing_is_the_first_fall_to_chance(curve, place):
    shares = np.array([0, 0.2, 1])
    assert crossing(np.array(curve), shares) == pytest.approx(place, nan_ok=True)
    both = crossing(np.array([curve, (0.9, 0.7, 0.3)]), shares)
    assert both == pytest.approx([place, 0.6], nan_ok=True)


@given(st.lists(st.floats(0, 1).map(lambda x: round(x, 2)), min_size=2, max_size=6))
def test_a_crossing_is_where_a_fine_grid_is_under_chance_first(curve):
    shares = np.linspace(0, 1, len(curve))
    fine = np.union1d(np.linspace(0, 1, 20_001), shares)  # with what it may but touch
    under = np.interp(fine, shares, curve) <= 0.5 + 1e-12
    found = crossing(np.array(curve), shares)
    assert np.isinf(found) == (not under.any())
    if under.any():
        assert found == pytest.approx(fine[under.argmax()], abs=1e-4)


def test_a_crossing_of_the_board_is_that_of_its_mean_curve(evidence, board):
    curve = [aurocs(evidence, "weak", share, "ood").mean() for share in SHARES]
    row = value(board, "weak", "crossing")
    assert row["value"] == pytest.approx(float(crossing(np.array(curve), np.array(SHARES))))
    assert np.isinf(value(board, "robust", "crossing")["value"])
