"""Confidence scores by kind of shift: means, ranks and intervals, of Table 1 and by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from scipy.special import expit, logit

from sourcebench.evaluation.silent_failures import (
    RESULTS,
    axes_of,
    mean_ranks,
    silent_failures,
    told_apart,
)
from synthetic_failures import MEAN_RANKS, NINE, PAPER, confidence, confounded, row
from synthetic_failures import axes_of as axes
from synthetic_failures import test_of as one_of


def cell(table, **where):
    for name, value in where.items():
        table = table[table[name] == value]
    (found,) = table.to_dict("records")
    return found


def of(values, score="msr", **more):
    """Rows of one score: (test set, shift, repeat) → AURC."""
    return pd.DataFrame(
        [
            row(axes("t", score, repeat, **more), one_of(name, shift, name, 0), score, aurc)
            for (name, shift, repeat), aurc in values.items()
        ]
    )


def test_the_papers_table_gives_its_means_and_mean_ranks():
    table = silent_failures(confidence())
    for (task, shift), means in PAPER.items():
        for score, mean in zip(NINE, means, strict=True):
            here = cell(table, task=task, shift=shift, score=score)
            assert here["aurc"] == pytest.approx(mean / 100, rel=1e-9)
            assert here["aurc_low"] < here["aurc"] < here["aurc_high"]
    ranks = table.drop_duplicates("score").set_index("score")["mean_rank"]
    assert ranks[list(NINE)].round(1).tolist() == pytest.approx(list(MEAN_RANKS))
    assert table.groupby("score")["mean_rank"].nunique().eq(1).all()
    independent = [stats.rankdata(np.array(each)) for each in PAPER.values()]
    assert np.mean(independent, 0) == pytest.approx(ranks[list(NINE)].to_numpy())


def test_a_score_is_one_whatever_tasks_call_the_method_that_it_needs():
    table = confidence()
    cells = table["task"].eq("cells") & table["method"].eq("confidnet")
    named = table.assign(method=table["method"].mask(cells, "confidnet_cells"))
    results = ["task", "shift", "score", "rank", "mean_rank"]
    usual, own = (silent_failures(each)[results] for each in (table, named))
    assert own["mean_rank"].notna().all()
    pd.testing.assert_frame_equal(
        *(each.sort_values(results[:3], ignore_index=True) for each in (usual, own))
    )
    assert set(told_apart(named)) == {""}
    both = pd.concat([table, table[cells].assign(method="confidnet_cells")])
    assert set(told_apart(both)[both["score"] == "confidnet"]) == {"confidnet", "confidnet_cells"}
    assert set(told_apart(both)[both["score"] == "msr"]) == {""}


def test_means_are_over_test_sets_and_then_over_replicates():
    values = {
        ("a", "acquisition", 1): 0.1, ("b", "acquisition", 1): 0.2, ("iid", "iid", 1): 0.05,
        ("a", "acquisition", 2): 0.3, ("b", "acquisition", 2): 0.4, ("iid", "iid", 2): 0.05,
    }  # fmt: skip
    found = cell(silent_failures(of(values)), shift="acquisition")
    assert found["aurc"] == pytest.approx(0.25)
    assert (found["test_sets"], found["runs"], found["n"]) == (2, 2, 400)
    failures = [round(200 * np.sqrt(aurc)) for (name, *_), aurc in values.items() if name != "iid"]
    assert found["failures"] == pytest.approx(sum(failures) / 2)
    shares = [0.1 + aurc for (name, *_), aurc in values.items() if name != "iid"]
    assert found["silent_share"] == pytest.approx(np.mean(shares))


def test_the_interval_is_over_patients_and_replicates():
    values = {("iid", "iid", repeat): aurc for repeat, aurc in ((1, 0.1), (2, 0.14), (3, 0.12))}
    found = cell(silent_failures(of(values)), shift="iid")
    error = np.std([0.1, 0.14, 0.12], ddof=1) / np.sqrt(3) / (0.12 * 0.88)
    ends = expit(logit(0.12) + np.array([-1, 1]) * stats.t.ppf(0.975, 2) * error)
    low, high = 0.12 - np.hypot(0.12 - ends[0], 0.012), 0.12 + np.hypot(ends[1] - 0.12, 0.012)
    assert (found["aurc_low"], found["aurc_high"]) == pytest.approx((low, high))
    alone = cell(silent_failures(of({("iid", "iid", 1): 0.2})), shift="iid")
    assert (alone["aurc_low"], alone["aurc_high"]) == pytest.approx((0.18, 0.22))
    assert np.isnan(alone["silent_share_low"])


def test_the_interval_holds_the_truth_where_patients_and_networks_vary():
    """A simulation: two test sets of the same patients, whose errors go together; 5 networks."""
    rng = np.random.default_rng(0)
    studies, networks = 400, 5
    patients = rng.normal(0, 0.02, (studies, 1))
    aurc = 0.3 + patients + rng.normal(0, 0.015, (studies, networks))
    some = of({(n, "acquisition", i + 1): 0.3 for i in range(networks) for n in "ab"})
    rows = pd.concat([some] * studies, ignore_index=True)
    rows["task"] = np.repeat([f"study{i}" for i in range(studies)], len(some))
    rows["aurc"] = np.repeat(aurc, 2, axis=1).ravel()
    rows[["aurc_low", "aurc_high"]] = np.c_[rows["aurc"] - 0.0392, rows["aurc"] + 0.0392]
    found = silent_failures(rows)
    held = (found["aurc_low"] <= 0.3) & (found["aurc_high"] >= 0.3)
    assert 0.94 <= held.mean() <= 0.99


def test_repeats_of_a_fold_are_averaged_first_and_an_ensemble_is_of_no_fold():
    folds = [of({("iid", "iid", 1): a, ("iid", "iid", 2): b}, fold=f) for f, a, b in
             ((1, 0.1, 0.2), (2, 0.3, 0.3))]  # fmt: skip
    table = silent_failures(pd.concat(folds))
    assert cell(table)["aurc"] == pytest.approx(0.225)
    assert cell(table)["runs"] == 4
    one_fold = of({("iid", "iid", 1): 0.1, ("iid", "iid", 2): 0.2})
    together = of({("iid", "iid", 0): 0.09}, score="ensemble_msr", fold=0)
    table = silent_failures(pd.concat([one_fold, together]))
    assert cell(table, score="ensemble_msr")["runs"] == 1
    assert cell(table, score="msr")["aurc_high"] > 0.3  # Student's, of two repeats
    assert cell(table, score="ensemble_msr")["rank"] == 1


def test_of_a_confounders_test_sets_the_ood_one_counts():
    table = silent_failures(confounded())
    assert set(table["shift"]) == {"iid", "confounder"}
    assert (table["test_sets"] == 1).all()
    top = cell(table, task="cxr_mass", source="imagenet", p_art=1, shift="confounder", score="msr")
    assert top["aurc"] == pytest.approx(0.58, abs=0.03)
    means = table.groupby(["source", "p_art"])["mean_rank"].mean()
    assert means.to_numpy() == pytest.approx(5)  # of nine


def test_tasks_of_a_group_share_their_columns():
    """What is not held out is told by the tasks that hold nothing out."""
    values = {("all", "iid"): [20], ("all", "corruption"): [30], ("but_a", "iid"): [99],
              ("but_a", "acquisition"): [40], ("alone", "iid"): [5],
              ("alone", "manifestation"): [7]}  # fmt: skip
    table = confidence(values, scores=["msr"])
    second = table[table["shift"] == "acquisition"].assign(task="but_b")
    second["aurc"] *= 1.5
    groups = {"all": "Skin", "but_a": "Skin", "but_b": "Skin"}
    found = silent_failures(pd.concat([table, second]), groups)
    means = {(r["task"], r["shift"]): r["aurc"] for r in found.to_dict("records")}
    assert means == pytest.approx({
        ("Skin", "iid"): 0.2, ("Skin", "corruption"): 0.3, ("Skin", "acquisition"): 0.5,
        ("alone", "iid"): 0.05, ("alone", "manifestation"): 0.07,
    })  # fmt: skip
    assert cell(found, task="Skin", shift="acquisition")["runs"] == 6
    assert cell(found, task="Skin", shift="acquisition")["test_sets"] == 4


def test_scores_rank_where_all_of_them_have_a_value():
    table = silent_failures(confidence({("a", "iid"): [3, 1, 2], ("b", "iid"): [3, 1, 2]},
                                       scores=["msr", "pe", "dg_res"]))  # fmt: skip
    assert table.drop_duplicates("score").set_index("score")["mean_rank"].to_dict() == {
        "msr": 3, "pe": 1, "dg_res": 2
    }  # fmt: skip
    less = table[(table["task"] == "a") | (table["score"] != "pe")].copy()
    less["rank"] = less.groupby("task")["aurc"].rank()
    assert sorted(mean_ranks(less).unique()) == [1, 2, 3]
    none = less[(less["task"] == "b") | (less["score"] == "pe")].copy()
    assert mean_ranks(none).isna().all()


def test_ties_have_the_mean_of_their_ranks_for_all_that_means_are_rounded():
    table = confidence({("a", "iid"): [10, 10, 20]}, scores=["msr", "pe", "dg_res"])
    table["aurc"] += np.where(table["score"] == "pe", 1e-16, 0)
    assert silent_failures(table)["rank"].tolist() == [1.5, 1.5, 3]


def test_what_is_undefined_is_nan_and_nothing_has_no_rows():
    table = confidence({("a", "iid"): [0, 10]}, scores=["msr", "pe"])
    table["failure_auroc"] = np.nan
    found = silent_failures(table)
    assert found["failure_auroc"].isna().all()
    assert np.isnan(cell(found, score="msr")["silent_share"])  # nothing fails
    assert cell(found, score="msr")["aurc"] == 0
    empty = silent_failures(table[:0])
    assert empty.empty
    assert list(empty) == list(found) == [*axes_of(table), "shift", "score", *RESULTS]
