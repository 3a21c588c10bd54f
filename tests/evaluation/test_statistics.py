"""The tables of every cell against their definitions: by hand, by other functions, by laws."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sourcebench.evaluation.aggregate import read_runs
from sourcebench.evaluation.bootstrap import estimate
from sourcebench.evaluation.comparisons import holm, permutation_test, smallest_p
from sourcebench.evaluation.corrected import corrected_t
from sourcebench.evaluation.costs import drops, shortcut_drop, skills, with_skill
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.intervals import mean_ci
from sourcebench.evaluation.metrics import METRICS, RESAMPLED
from sourcebench.evaluation.power import detectable
from sourcebench.evaluation.runs_table import runs_table
from sourcebench.evaluation.statistics import (
    compare_sources,
    epochs_per_source,
    networks,
    summary,
)
from sourcebench.files import write_csv
from synthetic_predictions import images_of, predictions, write_run, write_study

IMAGES = images_of(12, 18, per_patient=2)
PLACE = ["arch", "p_art", "test_set"]


@pytest.fixture(scope="module")
def evidence(tmp_path_factory):
    folders = write_study(tmp_path_factory.mktemp("study"), folds=3, images=IMAGES)
    return Evidence.of(folders, "tag", draws=120)


@pytest.fixture(scope="module")
def compared(evidence):
    return compare_sources(evidence)


def part(evidence, there=None):
    """A copy that may be changed, of all rows of runs or of some."""
    there = np.ones(len(evidence.runs), bool) if there is None else there.to_numpy()
    predictions = [each for each, kept in zip(evidence.predictions, there, strict=True) if kept]
    runs = evidence.runs[there].reset_index(drop=True)
    some = replace(evidence, runs=runs, predictions=predictions)
    some.__dict__["drawn"] = {name: each[there] for name, each in evidence.drawn.items()}
    return some


def rows_of(runs, **where):
    for name, value in where.items():
        runs = runs[runs[name] == value]
    return runs


def of_folds(evidence, **where):
    """The AUROC of a cell's folds."""
    return rows_of(evidence.runs, **where).sort_values("fold")["auroc"].to_numpy()


def drop_of(evidence, source, share):
    zero, above = (of_folds(evidence, source=source, p_art=p, test_set="ood") for p in (0, share))
    return zero - above


def one(table, **where):
    (row,) = rows_of(table, **where).to_dict("records")
    return row


def test_summary_is_the_mean_over_folds(evidence):
    table = summary(evidence)
    assert len(table) == 3 * 3 * 4 * len(evidence.metrics)
    for metric in ("auroc", "brier"):
        where = {"source": "random", "p_art": 0.5, "test_set": "iid"}
        row = one(table, metric=metric, **where)
        values = rows_of(evidence.runs, **where)[metric]
        assert (row["mean"], row["sd"]) == pytest.approx((values.mean(), values.std()))
        assert row["low"] < row["mean"] < row["high"]
        assert (row["folds"], row["repeats"]) == (3, 1)
    assert table["low"].min() >= 0
    assert table.loc[table["metric"] != "nll", "high"].max() <= 1


def test_intervals_say_how_far_other_patients_would_move_the_mean(evidence):
    """Of one fold: the standard deviation of its draws, and freedom of the rarest class."""
    first = part(evidence, evidence.runs["fold"] == 1)
    runs = first.runs
    row = one(summary(first, ["accuracy"]), source="random", p_art=0.5, test_set="clean")
    (place,) = np.flatnonzero(
        (runs["source"] == "random") & (runs["p_art"] == 0.5) & (runs["test_set"] == "clean")
    )
    made = first.predictions[place]
    right = (made["logit_1"] > made["logit_0"]) == (made["label"] == 1)
    weights = first.patients.weights(made["patient_id"])
    se = (right.to_numpy() @ weights / 30).std(ddof=1)
    odds = np.log(row["mean"] / (1 - row["mean"]))
    scale = se / (row["mean"] * (1 - row["mean"]))
    assert first.rarest == 6
    ends = stats.t.interval(0.95, 5, odds, scale)
    assert (row["low"], row["high"]) == pytest.approx(tuple(1 / (1 + np.exp(-np.array(ends)))))
    assert (summary(first)["folds"] == 1).all()
    assert summary(first, ["auroc"])["low"].notna().all()


def test_a_metric_that_is_not_scored_on_draws_has_an_interval_over_folds(tmp_path, monkeypatch):
    for registry in (METRICS, RESAMPLED):
        monkeypatch.setattr(registry, "_entries", dict(registry._entries))
    METRICS.register("own")(lambda labels, logits: float((logits[:, 1] > 0).mean()))
    folders = write_study(tmp_path, {"a": (0.8, 0.4)}, folds=3, p_art=(0,), images=IMAGES)
    some = Evidence.of(folders, "tag", draws=20)
    values = rows_of(some.runs, test_set="ood")["own"]
    row = one(summary(some, ["own"]), test_set="ood")
    assert (row["mean"], row["low"], row["high"]) == pytest.approx(mean_ci(values))
    table = summary(part(some, some.runs["fold"] == 1), ["own"])
    assert table["mean"].notna().all()
    assert table[["low", "high"]].isna().all(axis=None)


def test_every_pair_is_compared_on_every_test_set_and_in_its_drop(evidence, compared):
    assert len(compared) == 3 * (3 * 4 + 2)  # pairs; p_art × test sets, and drops
    row = one(
        compared, source_a="imagenet", source_b="radimagenet", p_art=1, test_set="ood", of="auroc"
    )
    a, b = (of_folds(evidence, source=each, p_art=1, test_set="ood") for each in
            ("imagenet", "radimagenet"))  # fmt: skip
    assert (row["mean_a"], row["mean_b"]) == pytest.approx((a.mean(), b.mean()))
    assert row["difference"] == pytest.approx(a.mean() - b.mean())
    assert (row["t"], row["p_permutation"]) == pytest.approx(permutation_test(a, b))
    assert row["p_smallest"] == smallest_p(3, 3)
    assert row["p_corrected"] == pytest.approx(corrected_t(a - b, 198, 50).p)
    assert [row[f"{what}_{side}"] for what in ("folds", "repeats") for side in "ab"] == [3, 3, 1, 1]


def test_the_difference_of_drops_is_that_of_each_drop(evidence, compared):
    for source_a, source_b in (("imagenet", "random"), ("radimagenet", "random")):
        row = one(compared, source_a=source_a, source_b=source_b, p_art=1, of="drop")
        a, b = (drop_of(evidence, each, 1.0) for each in (source_a, source_b))
        assert row["test_set"] == "ood"
        assert (row["mean_a"], row["mean_b"]) == pytest.approx((a.mean(), b.mean()))
        assert row["difference"] == pytest.approx((a - b).mean())
        assert row["p_permutation"] == pytest.approx(permutation_test(a, b).p)
        assert row["p_corrected"] == pytest.approx(corrected_t(a - b, 198, 50).p)


def test_a_comparison_is_paired_by_fold_and_draw(evidence, compared):
    """Made anew of the runs' rows, the estimate being tested elsewhere."""
    where = {"p_art": 0.5, "test_set": "ood"}
    rows = [
        rows_of(evidence.runs, source=source, **where).sort_values("fold").index
        for source in ("imagenet", "random")
    ]
    values = evidence.runs["auroc"].to_numpy()
    drawn = evidence.drawn["auroc"].astype(float)
    expected = estimate(*(each[rows[0]] - each[rows[1]] for each in (values, drawn)), 6)
    row = one(compared, source_a="imagenet", source_b="random", of="auroc", **where)
    assert row["p"] == pytest.approx(float(expected.p((-1, 1))))
    assert (row["low"], row["high"]) == pytest.approx(tuple(map(float, expected.interval((-1, 1)))))
    least = float(detectable(expected.se, expected.freedom, limits=(-1, 1)))
    assert row["detectable"] == pytest.approx(least)
    apart = estimate(values[rows[0]] - values[rows[1]], drawn[rows[0]] - drawn[rows[1]][:, ::-1], 6)
    assert row["p"] != pytest.approx(float(apart.p((-1, 1))))


def test_whoever_is_named_first_a_comparison_says_the_same(evidence, compared):
    """Sources are paired by the alphabet: turned round, every sign turns round."""
    names = {"imagenet": "z", "radimagenet": "m", "random": "a"}
    turned = part(evidence)
    turned.runs["source"] = turned.runs["source"].map(names)
    again = compare_sources(turned)
    back = {new: old for old, new in names.items()}
    again = again.assign(source_a=again["source_b"].map(back), source_b=again["source_a"].map(back))
    keys = [*PLACE, "of", "source_a", "source_b"]
    both = compared.merge(again, on=keys, suffixes=("", "_again"))
    assert len(both) == len(compared)
    for name, other, sign in (
        ("difference", "difference", -1), ("low", "high", -1), ("high", "low", -1), ("t", "t", -1),
        ("mean_a", "mean_b", 1), ("mean_b", "mean_a", 1), ("p", "p", 1), ("p_holm", "p_holm", 1),
        ("p_permutation", "p_permutation", 1), ("p_corrected", "p_corrected", 1),
    ):  # fmt: skip
        np.testing.assert_allclose(both[name], sign * both[f"{other}_again"], atol=1e-7, rtol=1e-5)


def test_a_family_is_all_pairs_and_shares_above_none(evidence, compared):
    families = compared.groupby(["test_set", "of"])
    assert set(families.groups) == {
        ("ood", "drop"), *((name, "auroc") for name in ("iid", "ood", "clean", "artifact")),
    }  # fmt: skip
    for _, family in families:
        tested = family["p_art"] > 0
        assert tested.sum() == 6
        np.testing.assert_allclose(family.loc[tested, "p_holm"], holm(family.loc[tested, "p"]))
        assert family.loc[~tested, "p_holm"].isna().all()


def test_without_a_confounder_every_pair_is_in_the_family(evidence):
    table = compare_sources(part(evidence, evidence.runs["p_art"] == 0))
    clean = rows_of(table, test_set="clean")
    assert len(clean) == 3
    np.testing.assert_allclose(clean["p_holm"], holm(clean["p"]))
    assert set(table["of"]) == {"auroc"}


def test_one_source_has_nothing_to_compare_with(evidence):
    alone = part(evidence, evidence.runs["source"] == "imagenet")
    table = compare_sources(alone)
    assert table.empty
    assert list(table) == list(compare_sources(evidence))


def test_an_undefined_fold_is_left_out_and_counted(evidence):
    some = part(evidence)
    gone = (some.runs["fold"] == 1) & (some.runs["source"] == "imagenet")
    some.runs.loc[gone, "auroc"] = np.nan
    table = compare_sources(some)
    assert (table.loc[table["source_a"] == "imagenet", "folds_a"] == 2).all()
    assert table[["p", "p_permutation", "difference"]].notna().all(axis=None)
    row = one(table, source_a="imagenet", source_b="random", p_art=1, test_set="iid", of="auroc")
    a, b = (of_folds(some, source=each, p_art=1, test_set="iid") for each in ("imagenet", "random"))
    assert row["difference"] == pytest.approx((a - b)[1:].mean())
    drop = one(shortcut_drop(some), source="imagenet", p_art=1)
    assert drop["folds"] == 2


def test_an_undefined_cell_is_counted_as_empty(evidence):
    some = part(evidence)
    where = (some.runs["source"] == "random") & (some.runs["p_art"] == 1)
    some.runs.loc[where, "auroc"] = np.nan
    row = one(summary(some, ["auroc"]), source="random", p_art=1, test_set="clean")
    assert (row["folds"], row["repeats"]) == (0, 0)
    assert np.isnan([row["mean"], row["low"], row["high"]]).all()
    table = compare_sources(some)
    nothing = table[(table["source_b"] == "random") & (table["p_art"] == 1)]
    assert nothing[["p", "p_holm", "mean_b", "difference"]].isna().all(axis=None)
    assert (nothing["folds_b"] == 0).all()
    family = rows_of(table, test_set="iid", of="auroc").query("p_art > 0")
    np.testing.assert_allclose(family["p_holm"], holm(family["p"]))


def test_a_shortcut_drop_is_paired_by_fold_and_draw(evidence):
    table = shortcut_drop(evidence)
    assert len(table) == 3 * 2
    for row in table.to_dict("records"):
        expected = drop_of(evidence, row["source"], row["p_art"])
        assert row["drop"] == pytest.approx(expected.mean())
        assert row["low"] < row["drop"] < row["high"]
        assert row["folds"] == 3
    assert (table["p_art"] > 0).all()


def test_a_network_that_does_not_use_the_artifact_has_lost_nothing(tmp_path):
    """The same network with and without: nothing varies, whoever is tested."""
    folders = write_study(tmp_path, {"same": (0.8, 0.8)}, folds=2, p_art=(0, 1), images=IMAGES)
    for zero, above in zip(folders[:2], folders[2:], strict=True):
        (above / "predictions.parquet").write_bytes((zero / "predictions.parquet").read_bytes())
    (row,) = shortcut_drop(Evidence.of(folders, "tag", draws=40)).to_dict("records")
    assert (row["drop"], row["low"], row["high"], row["p"]) == pytest.approx((0, 0, 0, 1))


def test_without_runs_at_no_share_there_is_no_drop(evidence):
    above = part(evidence, evidence.runs["p_art"] > 0)
    table = shortcut_drop(above)
    assert table.empty
    assert {"drop", "low", "high", "p", "skilled"} <= set(table)
    assert (summary(above, ["auroc"])["skilled"] == "").all()
    assert (compare_sources(above)["skilled"] == "").all()


def test_a_further_axis_is_never_averaged_over(tmp_path):
    parts = [write_study(tmp_path / share, {"a": (0.8, 0.4), "b": (0.7, 0.6)}, folds=2,
                         p_art=(0, 1), images=IMAGES) for share in ("0.1", "1.0")]  # fmt: skip
    for share, folders in zip((0.1, 1.0), parts, strict=True):
        for folder in folders:
            path = folder / "run.json"
            path.write_text(path.read_text().replace("{", f'{{"fraction": {share},', 1))
    some = Evidence.of([each for part in parts for each in part], "tag", ["fraction"], draws=20)
    for table in (summary(some), shortcut_drop(some), skills(some)):
        assert set(table["fraction"]) == {0.1, 1.0}
    assert (summary(some)["folds"] == 2).all()
    assert (compare_sources(some)["folds_a"] == 2).all()
    assert (shortcut_drop(some)["folds"] == 2).all()


@pytest.mark.parametrize(("means", "said"), [
    ({"good": (0.9, 0.4)}, "yes"), ({"none": (0.5, 0.4)}, "no"), ({"inverse": (0.1, 0.4)}, "no"),
])  # fmt: skip
def test_a_source_is_skilled_where_its_whole_interval_is_above_chance(tmp_path, means, said):
    some = Evidence.of(
        write_study(tmp_path, means, folds=3, p_art=(0, 1), images=images_of(31, 52)),
        "tag",
        draws=60,
    )
    assert skills(some)["skilled"].tolist() == [said]
    assert set(shortcut_drop(some)["skilled"]) == {said}
    low = one(summary(some, ["auroc"]), p_art=0, test_set="ood")["low"]
    assert (low > 0.5) == (said == "yes")


@pytest.mark.parametrize(
    ("own", "pull", "said"),
    [(0.0, -3, "no"), (2.2, 3.4, "misled"), (2.2, 0, "yes")],
    ids=["the artifact alone tells the classes apart", "the artifact misleads", "neither"],
)
def test_skill_is_told_without_the_artifact(tmp_path, own, pull, said):
    """What it does to networks that never learned it must neither make nor break a skill."""
    images, rng = images_of(40, 40), np.random.default_rng(1)
    folders = []
    for fold in (1, 2):
        made = {"tag": predictions(images, own, pull, 0, rng)}
        place = {"task": "t", "source": "s", "arch": "a", "p_art": 0.0, "fold": fold}
        folders.append(write_run(tmp_path / str(fold), made, confounder="none", **place))
    (row,) = skills(Evidence.of(folders, "tag", draws=100)).to_dict("records")
    assert row["skilled"] == said


def test_a_single_class_leaves_no_telling_who_is_skilled(tmp_path):
    folders = write_study(
        tmp_path, {"a": (0.8, 0.4)}, folds=2, p_art=(0, 1), images=images_of(5, 0)
    )
    some = Evidence.of(folders, "tag", draws=20)
    assert skills(some)["skilled"].tolist() == [""]
    assert set(summary(some)["skilled"]) == {""}


def test_both_of_a_pair_are_skilled_or_they_are_not(tmp_path):
    means = {"a": (0.95, 0.4), "b": (0.95, 0.3), "c": (0.5, 0.4)}
    folders = write_study(tmp_path, means, folds=2, p_art=(0, 1), images=images_of(31, 52))
    table = compare_sources(Evidence.of(folders, "tag", draws=60))
    told = table.groupby(["source_a", "source_b"])["skilled"].unique().map(list).to_dict()
    assert told == {("a", "b"): ["yes"], ("a", "c"): ["no"], ("b", "c"): ["no"]}


def test_drops_are_by_replicate(evidence):
    lost = drops(evidence)
    assert lost.draws.shape == (6, 3, 120)
    runs = rows_of(evidence.runs, source="random", test_set="ood").sort_values("fold")
    zero, above = (rows_of(runs, p_art=share)["auroc"].to_numpy() for share in (0, 1))
    (place,) = np.flatnonzero((lost.keys["source"] == "random") & (lost.keys["p_art"] == 1))
    np.testing.assert_allclose(lost.values[place], zero - above)
    assert with_skill(evidence, lost.keys)["skilled"].notna().all()


def test_epochs_count_every_network_once(tmp_path):
    """Of runs.csv as it is read again: the network at p_art = 0 is shared by confounders."""
    confounders = ("tag", "denoise")
    folders = write_study(
        tmp_path, {"a": (0.8, 0.4), "b": (0.7, 0.3)}, confounders=confounders, folds=2,
        p_art=(0, 1), images=IMAGES,
    )  # fmt: skip
    for number, folder in enumerate(folders):
        path = folder / "run.json"
        path.write_text(path.read_text().replace("60", str(100 + number)))
    parts = []
    for name in confounders:
        tested = [each for each in folders if f"/{name}/" in str(each) or "/none/" in str(each)]
        parts.append(runs_table(Evidence.of(tested, name, draws=20)))
    write_csv(tmp_path / "runs.csv", pd.concat(parts))
    runs = read_runs(tmp_path / "runs.csv")
    trained = networks(runs)
    assert len(trained) == len(folders) == 2 * 2 * (1 + 2)
    assert sorted(trained["epochs"]) == list(range(100, 112))
    table = epochs_per_source(runs)
    assert list(table)[:4] == ["task", "arch", "source", "networks"]
    for row in table.to_dict("records"):
        epochs = rows_of(trained, source=row["source"])["epochs"]
        assert (row["networks"], row["mean"], row["max"]) == (6, epochs.mean(), epochs.max())
        assert row["hours"] == pytest.approx(6 * 33 / 3600)
