"""What an artifact does to answers, of networks whose answers are known."""

import numpy as np
import pandas as pd
import pytest
from scipy.special import expit
from sklearn.metrics import roc_auc_score

from sourcebench.evaluation.aggregate import axes
from sourcebench.evaluation.costs import shortcut_drop
from sourcebench.evaluation.counterfactual import ALL, GROUPS, PAIRED, counterfactual, effects
from sourcebench.evaluation.encoded_used_paid import encoded_used_paid
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.resampling import Patients
from synthetic_predictions import images_of, write_study

IMAGES = images_of(9, 21, per_patient=3)
KEYS = ["source", "p_art", "fold"]


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    means = {"pulled": (0.85, 0.2), "steady": (0.8, 0.75)}
    folders = write_study(
        tmp_path_factory.mktemp("study"), means, folds=3, p_art=(0, 0.5, 1), images=IMAGES
    )
    return Evidence.of(folders, "tag", draws=300)


@pytest.fixture(scope="module")
def table(evidence):
    return counterfactual(evidence)


def sides(evidence, network):
    """The predictions of a network without and with the artifact, and their margins."""
    runs = evidence.runs
    there = np.logical_and.reduce([runs[name] == network[name] for name in KEYS])
    found = []
    for test_set in ("clean", "artifact"):
        (row,) = np.flatnonzero(there & (runs["test_set"] == test_set))
        made = evidence.predictions[row].reset_index(drop=True)
        found.append(made.assign(margin=made["logit_1"].astype(float) - made["logit_0"]))
    return found


def of_class(table, label):
    return table if label == ALL else table[table["label"] == int(label)]


def told(without, having, score):
    """The AUROC of having the artifact, within the images of a class."""
    both = np.concatenate([without[score], having[score]])
    return roc_auc_score(np.repeat([0, 1], [len(without), len(having)]), both)


def test_a_row_per_network_and_class(table):
    assert len(table) == 2 * 3 * 3 * 3
    assert table.groupby("class")["n"].unique().map(list).to_dict() == {
        "0": [21],
        "1": [9],
        ALL: [30],
    }
    assert (table["contrast"] == PAIRED).all()


def test_a_pull_changes_the_log_odds_by_itself(evidence, table):
    for row in table[table["p_art"] > 0].to_dict("records"):
        without, having = sides(evidence, row)
        pull = float((having["margin"] - without["margin"]).iloc[0])
        assert pull > 0.01
        assert row["log_odds"] == pytest.approx(pull, rel=1e-5)
        assert (row["log_odds_low"], row["log_odds_high"]) == pytest.approx((pull, pull), rel=1e-4)
    nothing = table[table["p_art"] == 0]
    assert nothing["log_odds"].to_numpy() == pytest.approx(0)
    assert (nothing[["flipped", "flipped_low"]] == 0).all(axis=None)
    assert nothing["encoded"].to_numpy() == pytest.approx(0.5)


def test_probabilities_decisions_and_what_is_encoded_by_hand(evidence, table):
    for row in table.to_dict("records"):
        without, having = (of_class(each, row["class"]) for each in sides(evidence, row))
        change = expit(having["margin"]) - expit(without["margin"])
        assert row["probability"] == pytest.approx(change.mean(), abs=1e-6)
        flipped = (having["margin"] > 0).to_numpy() != (without["margin"] > 0).to_numpy()
        assert row["flipped"] == pytest.approx(flipped.mean())
        if row["class"] != ALL:
            assert row["encoded"] == pytest.approx(told(without, having, "margin"))


def test_all_classes_are_the_mean_of_each_by_its_images(table):
    wide = table.pivot_table(index=KEYS, columns="class", values=["encoded", "flipped"])
    for name in ("encoded", "flipped"):
        expected = (21 * wide[name]["0"] + 9 * wide[name]["1"]) / 30
        assert wide[name][ALL].to_numpy() == pytest.approx(expected.to_numpy())


def test_intervals_are_over_patients(evidence, table):
    """The change of one network's probability: a mean over the images of drawn patients."""
    row = table[
        (table["source"] == "pulled") & (table["p_art"] == 1) & (table["class"] == "0")
    ].iloc[0]
    without, having = (of_class(each, "0") for each in sides(evidence, row))
    change = (expit(having["margin"]) - expit(without["margin"])).to_numpy()
    weights = Patients(IMAGES["patient_id"], 300, "cxr_mass").weights(without["patient_id"])
    drawn = change @ weights / weights.sum(0)
    found = effects(evidence)
    place = np.flatnonzero((found.networks[KEYS] == row[KEYS]).all(axis=1))[0]
    np.testing.assert_allclose(found.draws["probability"]["0"][place], drawn, atol=1e-5)
    assert row["probability_low"] < row["probability"] < row["probability_high"]
    bounds = [name for name in table if name.endswith(("_low", "_high"))]
    assert len(bounds) == 8
    assert np.isfinite(table[bounds]).all(axis=None)


def grouped(tmp_path):
    """An attribute: images have it, or they lack it, and the sets are of different images."""
    images = images_of(9, 21)
    folders = write_study(tmp_path, {"a": (0.85, 0.2)}, folds=2, p_art=(0, 1), images=images)
    has = images["image_id"].str[-1].isin(list("02468"))
    kept = {"clean": images["image_id"][~has], "artifact": images["image_id"][has]}
    for folder in folders:
        rows = pd.read_parquet(folder / "predictions.parquet")
        there = [each in set(kept.get(name, images["image_id"])) for name, each in
                 zip(rows["test_set"], rows["image_id"], strict=True)]  # fmt: skip
        rows[there].to_parquet(folder / "predictions.parquet")
    return Evidence.of(folders, "tag", draws=100)


def test_an_attribute_is_a_contrast_of_groups_within_each_class(tmp_path):
    evidence = grouped(tmp_path)
    table = counterfactual(evidence)
    assert (table["contrast"] == GROUPS).all()
    assert table[["flipped", "flipped_low", "flipped_high"]].isna().all(axis=None)
    totals = {}
    for row in table.to_dict("records"):
        without, having = sides(evidence, row)
        if row["class"] == ALL:
            totals[row["p_art"], row["fold"]] = row
            continue
        without, having = (of_class(each, row["class"]) for each in (without, having))
        assert row["n"] == len(having) != len(without)
        assert row["log_odds"] == pytest.approx(
            having["margin"].mean() - without["margin"].mean(), abs=1e-5
        )
        assert row["encoded"] == pytest.approx(told(without, having, "margin"))
        assert row["log_odds_low"] < row["log_odds"] < row["log_odds_high"]
    for (share, fold), row in totals.items():
        parts = table[(table["p_art"] == share) & (table["fold"] == fold)].set_index("class")
        counts = parts.loc[["0", "1"], "n"]
        assert row["n"] == counts.sum()
        assert row["log_odds"] == pytest.approx(
            np.average(parts.loc[["0", "1"], "log_odds"], weights=counts)
        )


def test_without_both_test_sets_there_is_nothing_to_say(evidence, table):
    there = evidence.runs["test_set"] != "artifact"
    predictions = [each for each, kept in zip(evidence.predictions, there, strict=True) if kept]
    less = Evidence("cxr_mass", "tag", evidence.runs[there].reset_index(drop=True), predictions, 9)
    assert effects(less) is None
    for made, full in ((counterfactual, table), (encoded_used_paid, encoded_used_paid(evidence))):
        empty = made(less)
        assert empty.empty
        assert list(empty) == list(full)


def test_encoded_used_and_paid_are_those_by_hand(evidence):
    table = encoded_used_paid(evidence)
    assert len(table) == 2 * 3
    assert (table["folds"] == 3).all()
    assert (table["contrast"] == PAIRED).all()
    for row in table.to_dict("records"):
        encoded, used = [], []
        for fold in (1, 2, 3):
            both = sides(evidence, {**row, "fold": fold})
            each = [[of_class(side, label) for side in both] for label in "01"]
            encoded.append(np.average([told(*pair, "probe") for pair in each], weights=[21, 9]))
            used.append((expit(both[1]["margin"]) - expit(both[0]["margin"])).mean())
        assert row["encoded"] == pytest.approx(np.mean(encoded))
        assert row["used"] == pytest.approx(np.mean(used), abs=1e-6)
        for question in ("encoded", "used"):
            assert row[f"{question}_low"] <= row[question] <= row[f"{question}_high"]


def test_what_is_paid_is_the_drop(evidence):
    table = encoded_used_paid(evidence)
    names = {"drop": "paid", "low": "paid_low", "high": "paid_high"}
    lost = shortcut_drop(evidence).rename(columns=names).drop(columns="p")
    paid = table[table["p_art"] > 0].reset_index(drop=True)
    pd.testing.assert_frame_equal(paid[list(lost)], lost)
    assert table.loc[table["p_art"] == 0, ["paid", "paid_low", "paid_high"]].isna().all(axis=None)
    assert set(axes(table)) >= {"task", "confounder", "source", "arch", "p_art"}
