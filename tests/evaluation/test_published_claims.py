"""What a paper says of p, levels, epochs and skill, beside what a study's runs say of them."""

from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from conftest import merged
from sourcebench.evaluation.contrasts import contrast
from sourcebench.evaluation.intervals import Interval
from sourcebench.evaluation.published.ours import CELL
from sourcebench.evaluation.published.table import published_table
from sourcebench.study import Study
from synthetic_runs import synthetic_runs

PUBLISHED = Study.of(merged({})).published
RUNS = synthetic_runs()
MASS = {"task": "cxr_mass", "arch": "resnet50", "test_set": "ood", "metric": "auc_keras"}
DENOISE = {**MASS, "confounder": "denoise"}


def chosen(kind, **where):
    """What is published of one kind, of those that have these values."""
    there = [each for each in PUBLISHED[kind] if all(each[k] == v for k, v in where.items())]
    return {**{name: [] for name in PUBLISHED}, kind: there}


def summary_of(means, skilled="yes", width=0.05):
    """A summary of means: (cell, p_art) pairs of which the cell is a mapping."""
    rows = [
        {**cell, "p_art": p_art, "mean": mean, "low": mean - width, "high": mean + width}
        for cell, p_art, mean in means
    ]
    wanted = [*CELL, "p_art", "mean", "low", "high"]
    return pd.DataFrame(rows, columns=wanted).assign(skilled=skilled)


def folds(imagenet, radimagenet, p_art=0.5):
    """Runs whose o.o.d. AUC with denoising is this in each fold."""
    kept = RUNS[RUNS["fold"] <= len(imagenet)]
    place = (kept["confounder"] == "denoise") & (kept["test_set"] == "ood")
    runs = kept[place & (kept["p_art"] == p_art)].copy()
    for source, values in (("imagenet", imagenet), ("radimagenet", radimagenet)):
        rows = runs["source"] == source
        runs.loc[rows, "auc_keras"] = runs.loc[rows, "fold"].map(dict(enumerate(values, 1)))
    return runs


def point(runs, p_art=0.5, means=(), **where):
    given = {"confounder": "denoise", "p_art": p_art, **where}
    (row,) = published_table(summary_of(means), runs, chosen("points", **given)).to_dict("records")
    return row


LOW, HIGH = [0.5, 0.52, 0.54, 0.56, 0.58], [0.7, 0.71, 0.75, 0.76, 0.79]
MIXED = [0.51, 0.55, 0.53, 0.60, 0.57]


def by_brute_force(a, b):
    """The share of all ways to part the values whose means are as far apart."""
    pool = np.array([*a, *b])
    apart = [
        abs(pool[list(part)].mean() - np.delete(pool, part).mean())
        for part in combinations(range(len(pool)), len(a))
    ]
    return np.mean(np.array(apart) >= abs(np.mean(a) - np.mean(b)) - 1e-9)


@pytest.mark.parametrize(
    ("ours", "agrees"), [((LOW, HIGH), "yes"), ((HIGH, LOW), "no"), ((LOW, MIXED), "no")]
)
def test_a_published_difference_beside_ours(ours, agrees):
    means = [({**DENOISE, "source": "imagenet"}, 0.5, np.mean(ours[0]))]
    row = point(folds(*ours), means=means)
    assert row["statement"] == "is under radimagenet"
    assert (row["published_p"], row["stated"]) == (0.0079, "repository")
    assert row["published"] == pytest.approx(
        np.mean([0.6049, 0.6073, 0.5925, 0.5432, 0.5417]), abs=1e-6
    )
    assert row["p"] == pytest.approx(by_brute_force(*ours))
    assert row["agrees"] == agrees
    assert row["ours"] == pytest.approx(np.mean(ours[0]))
    inside = abs(row["published"] - row["ours"]) <= 0.05005
    assert row["inside"] == ("yes" if inside else "no")


def test_a_published_p_that_finds_nothing():
    row = point(folds(LOW, MIXED, 0.2), 0.2)
    assert (row["statement"], row["agrees"]) == ("is not told from radimagenet", "yes")
    assert point(folds(LOW, HIGH, 0.2), 0.2)["agrees"] == "no"


def test_without_enough_folds_there_is_no_telling():
    assert point(folds(LOW[:4], HIGH[:4]))["agrees"] == "yes"  # p can be 2/70
    row = point(folds(LOW[:3], HIGH[:3]))
    assert (row["p"], row["agrees"], row["inside"]) == (pytest.approx(0.1), "", "")
    row = point(RUNS.head(0))
    assert np.isnan(row["p"])
    assert row["agrees"] == ""


def test_folds_without_the_other_source():
    alone = Study.of(merged({"experiment": {"sources": ["imagenet"]}})).published
    assert len(alone["points"]) == 17
    assert (alone["trends"][0]["than"]["confounder"], len(alone["trends"])) == ("noise", 2)
    table = published_table(summary_of([]), RUNS, {**alone, "curves": [], "trends": []})
    assert set(table["agrees"]) == {""}
    assert table["p"].isna().all()
    assert table["published_p"].notna().all()


def test_repeats_of_a_fold_are_one_observation():
    again = [folds(LOW, HIGH).assign(repeat=each) for each in (1, 2)]
    assert point(pd.concat(again))["p"] == point(folds(LOW, HIGH))["p"]


def test_folds_lie_on_the_curve_between_its_ends():
    means = {each["confounder"]: each["means"] for each in chosen("curves", source="imagenet",
             task="cxr_mass")["curves"]}  # fmt: skip
    assert [p for p, _, _ in means["tag"]] == [0, 0.2, 0.5, 1]
    assert means["noise"][-1] == (1.0, 0.0, 0.02)  # the figure's, not the folds' 0.09
    assert means["noise"][-2] == (0.8, pytest.approx(0.32816), 0.00005)
    for each in chosen("curves", source="radimagenet")["curves"]:
        assert len(each["means"]) == 2


def loss(skilled, kind="trends", **where):
    """The rows of a network that loses 0.4 beside one that loses 0.8, of which one has skill."""
    given = {"task": "cxr_mass", "confounder": "tag", **where}
    tag = {**MASS, "confounder": "tag"}
    ends = {"imagenet": (0.9, 0.1), "random": (0.7, 0.3), "radimagenet": (0.9, 0.5)}
    means = [({**tag, "source": s}, p, m) for s, both in ends.items() for p, m in enumerate(both)]
    summary = summary_of(means)
    summary["skilled"] = summary["source"].map({**dict.fromkeys(ends, "yes"), **skilled})
    return published_table(summary, RUNS, chosen(kind, **given)).to_dict("records")


@pytest.mark.parametrize(
    ("skilled", "agrees", "worst"),
    [
        ({}, "yes", "yes"),
        ({"random": "no"}, "unclear", "no"),
        ({"imagenet": "misled"}, "unclear", "misled"),
        ({"imagenet": "misled", "random": "no"}, "unclear", "no"),
        ({"imagenet": "", "random": "no"}, "unclear", "no"),
        ({"random": ""}, "yes", ""),
    ],
)
def test_who_has_no_skill_says_nothing_of_losses(skilled, agrees, worst):
    (row,) = loss(skilled, source="random", claim="loses less")
    assert (row["agrees"], row["skilled"]) == (agrees, worst)
    assert row["ours"] == pytest.approx(0.4)


def test_a_curve_without_skill_says_nothing():
    (able,) = loss({}, "curves", source="imagenet")
    (unable,) = loss({"imagenet": "no"}, "curves", source="imagenet")
    assert (able["agrees"], able["skilled"]) == ("yes", "yes")
    assert (unable["agrees"], unable["skilled"]) == ("unclear", "no")
    (other,) = loss({"random": "no"}, "curves", source="imagenet")
    assert other["agrees"] == "yes"


GENDER = {"task": "cxr_atelectasis", "confounder": "gender", "arch": "resnet50",
          "metric": "auc_keras"}  # fmt: skip


def test_levels_that_are_comparable():
    cell, below = {**GENDER, "test_set": "iid"}, {"imagenet": 0.72, "radimagenet": 0.71}
    for width, agrees in ((0.01, "yes"), (0.05, "unclear")):
        summary = summary_of(
            [({**cell, "source": s}, 0.0, mean) for s, mean in below.items()], width=width
        )
        table = published_table(summary, RUNS, chosen("trends", test_set="iid", p_art=[0.0]))
        (row,) = table[table["confounder"] == "gender"].to_dict("records")
        assert (row["statement"], row["p_art"]) == ("scores as much as imagenet", 0)
        assert (row["ours"], row["agrees"]) == (pytest.approx(-0.01), agrees)
        assert row["high"] - row["ours"] == pytest.approx(width * np.sqrt(2))


def test_levels_on_average():
    shares, gaps = (0.1, 0.2, 0.5, 0.8, 1.0), (0.1, 0.2, 0.1, 0.2, 0.3)
    cell = {**GENDER, "test_set": "ood"}
    means = [
        ({**cell, "source": source}, p, 0.4 + gap * (source == "radimagenet"))
        for p, gap in zip(shares, gaps, strict=True)
        for source in ("imagenet", "radimagenet")
    ]
    table = published_table(summary_of(means), RUNS, chosen("trends", claim="scores more"))
    (row,) = table.to_dict("records")
    assert row["statement"] == "scores more than imagenet on average"
    assert np.isnan(row["p_art"])
    assert (row["published"], row["ours"]) == (0.12, pytest.approx(0.18))
    assert row["high"] - row["low"] == pytest.approx(2 * 0.05 * np.sqrt(2))
    assert row["agrees"] == "yes"
    missing = published_table(summary_of(means[2:]), RUNS, chosen("trends", claim="scores more"))
    assert set(missing["agrees"]) == {"unclear"}


def test_an_average_of_bounds_is_wide_enough_whatever_goes_together():
    """The variance of a mean of five differences, of any covariance, under the mean error's."""
    rng = np.random.default_rng(0)
    for _ in range(200):
        root = rng.normal(size=(5, 5)) * rng.uniform(0.1, 2, (5, 1))
        covariance = root @ root.T
        assert np.sqrt(covariance.mean()) <= np.sqrt(np.diag(covariance)).mean() + 1e-12


def test_epochs_by_hand():
    table = published_table(summary_of([]), RUNS, chosen("efforts"))
    (row,) = table.to_dict("records")
    once = RUNS[RUNS["test_set"] == "ood"]
    shared = (once["p_art"] == 0) & once["confounder"].isin(["denoise", "noise"])
    wide = once[~shared].pivot_table(
        index=["task", "confounder", "p_art", "fold"], columns="source", values="epochs"
    )
    more = (wide["radimagenet"] - wide["imagenet"]).groupby("fold").mean()
    low, high = stats.t.interval(0.95, 4, more.mean(), stats.sem(more))
    assert (row["ours"], row["low"], row["high"]) == pytest.approx((more.mean(), low, high))
    assert (row["published"], row["agrees"]) == (141 - 72, "yes")
    assert (row["task"], row["confounder"], row["arch"], row["source"], row["metric"]) == (
        "all", "all", "all", "radimagenet", "epochs",
    )  # fmt: skip
    assert row["statement"] == "trains longer than imagenet"


def test_epochs_of_the_contrary_and_of_one_fold():
    swapped = RUNS.assign(source=RUNS["source"].replace(
        {"imagenet": "radimagenet", "radimagenet": "imagenet"}))  # fmt: skip
    assert set(published_table(summary_of([]), swapped, chosen("efforts"))["agrees"]) == {"no"}
    single = RUNS[RUNS["fold"] == 1]
    row = published_table(summary_of([]), single, chosen("efforts")).iloc[0]
    assert row["ours"] > 0
    assert (row["agrees"], np.isnan(row["low"])) == ("unclear", True)
    assert np.isnan(published_table(summary_of([]), RUNS.head(0), chosen("efforts"))["ours"][0])


def width_of(covariance, signs=(1, -1, -1, 1)):
    """How wide the interval of a contrast is beside what it ought to be."""
    errors = 1.96 * np.sqrt(np.diag(covariance))
    found = contrast([Interval(0.0, -each, each) for each in errors], signs)
    return found.high / (1.96 * np.sqrt(np.array(signs) @ covariance @ np.array(signs)))


@pytest.mark.parametrize("r", [0.0, 0.3, 0.6, 0.9])
def test_intervals_are_wide_where_all_means_go_together(r):
    assert width_of(np.full((4, 4), r) + (1 - r) * np.eye(4)) == pytest.approx(1 / np.sqrt(1 - r))


def test_intervals_need_not_be_wide():
    """Of the other's loss less this one's: what differs in source and p_art, and nothing else."""
    crossed = np.eye(4)
    crossed[0, 3] = crossed[3, 0] = crossed[1, 2] = crossed[2, 1] = 0.5
    assert width_of(crossed) < 1
    alike = np.eye(4)
    alike[0, 1] = alike[1, 0] = alike[2, 3] = alike[3, 2] = 0.5
    assert width_of(alike) > 1
