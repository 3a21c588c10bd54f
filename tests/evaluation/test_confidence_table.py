"""The tables of confidence scores, from predictions to rows."""

import json

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.aggregate import Tables, axes, together
from sourcebench.evaluation.asked import Asked, Network
from sourcebench.evaluation.confidence import SCORES
from sourcebench.evaluation.confidence import Tested as Said  # pytest collects what is called Test…
from sourcebench.evaluation.confidence_table import confidence
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.failures import FAILURE_METRICS, Answers, score
from sourcebench.evaluation.failures.curve import risk_coverage as curve
from sourcebench.evaluation.failures.intervals import intervals
from sourcebench.evaluation.risk_coverage import risk_coverage
from sourcebench.files import write_csv
from sourcebench.seeds import generator
from synthetic_confidence import (
    LEARNED,
    PLAIN,
    TEST_SETS,
    complete,
    measured,
    table_of,
    write_confident,
)
from synthetic_predictions import images_of, write_study

KINDS = ["cross_entropy", *LEARNED]
OF_PLACE = ["shift", "family", "severity", "score", "members", "n", "failures"]
OUTCOMES = ["detected", "silent", "false_alarms", "passed"]


def asked(*scores, coverage=0.95):
    return Asked.of(scores, coverage, TEST_SETS)


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs")
    return write_confident(folder, KINDS, p_art=(1,), folds=2, images=images_of(20, 30, 2))


@pytest.fixture(scope="module")
def evidence(folders):
    return Evidence.of(folders, "tag", draws=50, asked=asked(*SCORES))


@pytest.fixture(scope="module")
def table(evidence):
    return confidence(evidence)


def rows_of(evidence, **place):
    there = np.logical_and.reduce([(evidence.runs[k] == v) for k, v in place.items()])
    return np.flatnonzero(there)


def test_there_is_a_row_per_network_test_set_and_score_that_can_be_made_of_it(evidence, table):
    numbers = [f"{name}{end}" for name in FAILURE_METRICS for end in ("", "_low", "_high")]
    of_threshold = ["threshold", "coverage", *OUTCOMES]
    assert list(table) == [*axes(evidence.runs), *OF_PLACE, *numbers, *of_threshold]
    single = table[table["fold"] > 0]
    for kind in KINDS:
        names = LEARNED.get(kind, [each for each in PLAIN if each != "ensemble_msr"])
        part = single[single["source"] == kind]
        assert len(part) == 2 * 4 * len(names)
        assert set(part["score"]) == set(names)
    assert set(table.loc[table["fold"] == 0, ["source", "score"]].itertuples(index=False)) == {
        ("cross_entropy", "ensemble_msr")
    }
    assert (single["members"] == 1).all()
    assert table[["n", "failures", "members", "severity", "fold"]].dtypes.eq("int64").all()
    assert table.set_index("test_set")["shift"].to_dict() == {
        name: said[0] for name, said in TEST_SETS.items()
    }


def test_numbers_are_those_of_the_score_itself(evidence, table):
    places = {"source": "cross_entropy", "fold": 2, "test_set": "ood"}
    (row,) = rows_of(evidence, **places)
    predictions, network = evidence.predictions[row], evidence.networks[row]
    held = Said(network.validation)
    for name in ("msr", "mcd_ee", "mahalanobis", "platt"):
        made = SCORES.get(name)
        found = made.of(Said(predictions, held))
        answers = Answers(
            found.confidences, found.called != predictions["label"].to_numpy(), made.probability
        )
        there = table[np.logical_and.reduce([table[k] == v for k, v in places.items()])]
        line = there.set_index("score").loc[name]
        for metric, expected in score(answers).items():
            assert line[metric] == pytest.approx(expected, nan_ok=True), metric
        ids = predictions["patient_id"].to_numpy(str)
        for metric, (_, *bounds) in intervals(answers, ids, evidence.patients).items():
            assert [line[f"{metric}_low"], line[f"{metric}_high"]] == pytest.approx(
                bounds, nan_ok=True
            ), metric
        kept_in_validation = np.sort(made.of(Said(held.rows, held)).confidences)[2:]
        assert line["threshold"] == kept_in_validation[0]  # 38 of 40 are 95 %
        kept = answers.confidences >= line["threshold"]
        assert line["coverage"] == pytest.approx(kept.mean())
        assert line["silent"] == pytest.approx((kept & answers.failures).mean())
        assert line["detected"] + line["silent"] == pytest.approx(answers.failures.mean())
        assert line[OUTCOMES].sum() == pytest.approx(1)


def test_a_score_is_the_same_whatever_stands_beside_it(folders, table):
    """Scores that rank alike share what is made of draws; what takes probabilities is their own."""
    alone = Evidence.of(folders, "tag", draws=50, asked=asked("pe", "temperature"))
    for name, part in confidence(alone).groupby("score"):
        same = table[table["score"] == name].reset_index(drop=True)
        pd.testing.assert_frame_equal(part.reset_index(drop=True), same)
    assert table.loc[table["score"] == "pe", "ece"].isna().all()
    probable = table[table["score"].isin(["msr", "temperature", "platt"])]
    assert probable.groupby(["test_set", "fold"])["ece"].nunique().eq(3).all()


def test_an_ensemble_is_of_all_networks_of_a_cell(evidence, table):
    rows = rows_of(evidence, source="cross_entropy", test_set="iid")
    members = tuple(Said(evidence.predictions[row]) for row in rows)
    found = SCORES.get("ensemble_msr").of(Said(members[0].rows, members=members))
    line = table[(table["score"] == "ensemble_msr") & (table["test_set"] == "iid")].iloc[0]
    assert line["members"] == 2
    assert line["failures"] == (found.called != members[0].labels).sum()
    # Each fold validates on images that the other was trained on.
    assert line[["threshold", "coverage", *OUTCOMES]].isna().all()


def test_repeats_of_a_fold_validated_on_the_same_images(tmp_path):
    folders = write_study(
        tmp_path, {"one": (0.8, 0.6)}, p_art=(0,), folds=1, repeats=3, images=images_of(20, 20)
    )
    for number, folder in enumerate(folders):
        complete(folder)
        rows = pd.read_parquet(folder / "validation.parquet")
        rows["logit_0"] += number
        rows.to_parquet(folder / "validation.parquet")
    evidence = Evidence.of(
        folders, "tag", further=["repeat"], draws=20, asked=asked("ensemble_msr")
    )
    table = confidence(evidence)
    assert len(table) == 4
    assert (table[["fold", "repeat"]] == 0).all(axis=None)
    assert (table["members"] == 3).all()
    members = tuple(Said(network.validation) for network in evidence.networks[::4])
    held = SCORES.get("ensemble_msr").of(Said(members[0].rows, members=members))
    assert table["threshold"].tolist() == [np.sort(held.confidences)[2]] * 4
    assert table["coverage"].notna().all()
    once = Evidence.of(
        folders[:1], "tag", further=["repeat"], draws=20, asked=asked("msr", "ensemble_msr")
    )
    of_one = confidence(once).set_index(["test_set", "score"])["aurc"].unstack()
    assert (of_one["msr"] == of_one["ensemble_msr"]).all()


def test_a_study_that_asks_for_no_scores_has_empty_tables(folders, evidence, table, tmp_path):
    nothing = Evidence.of(folders, "tag", draws=20)
    assert not nothing.networks
    assert set(nothing.predictions[0]) & {"mcd_msr", "confidence"} == set()
    pd.testing.assert_frame_equal(nothing.runs, evidence.runs)
    for name, make in {"confidence": confidence, "risk": risk_coverage}.items():
        empty = make(nothing)
        assert empty.empty
        full = make(evidence)
        assert list(empty) == list(full)
        write_csv(tmp_path / f"{name}.csv", empty)
        write_csv(tmp_path / f"{name}_full.csv", full)
        both = [tmp_path / f"{name}.csv", tmp_path / f"{name}_full.csv"]
        write_csv(tmp_path / f"{name}_all.csv", together(both))
        read = Tables({name: tmp_path / f"{name}_all.csv"})[name]
        pd.testing.assert_frame_equal(read, full)


def test_curves_are_means_over_folds_and_their_area_is_the_aurc(evidence, table):
    drawn = risk_coverage(evidence)
    cells = ["task", "confounder", "source", "arch", "p_art", "test_set"]
    assert list(drawn) == [*cells, "shift", "score", "coverage", "risk"]
    by_cell = drawn.groupby([*cells, "score"])
    assert by_cell.size().eq(50).all()
    means = table.groupby([*cells, "score"])["aurc"].mean()
    for key, part in by_cell:
        if key[-1] == "ensemble_msr":
            continue
        np.testing.assert_allclose(part["coverage"], np.arange(1, 51) / 50)
        # 50 answers, no ties: each coverage of the grid is a threshold.
        along, heights = [0, *part["coverage"]], [part["risk"].iloc[0], *part["risk"]]
        assert np.trapezoid(heights, along) == pytest.approx(means[key], abs=1e-12)
    last = drawn[drawn["coverage"] == 1].set_index([*cells, "score"])["risk"]
    wrong = 1 - table.groupby([*cells, "score"])["accuracy"].mean()
    pd.testing.assert_series_equal(last.sort_index(), wrong.sort_index(), check_names=False)


@given(st.integers(0, 2**20), st.integers(30, 400), st.sampled_from([0, 20]))
@settings(max_examples=20)
def test_a_curve_read_at_the_grid_has_nearly_its_area(seed, images, steps):
    rng = generator("curve", seed)
    confidences = rng.random(images)
    confidences = np.round(confidences * steps) / steps if steps else confidences
    answers = Answers(confidences, rng.random(images) > confidences)
    evidence = one_network(
        table_of(np.stack([confidences, 0 * confidences], 1), answers.failures), "max_logit"
    )
    drawn, own = risk_coverage(evidence), curve(answers)
    area = np.trapezoid([drawn["risk"].iloc[0], *drawn["risk"]], [0, *drawn["coverage"]])
    bent = np.abs(np.diff(own.risk)).sum()  # as much as a straight line may miss in a step
    assert abs(area - score(answers)["aurc"]) <= bent / 50 + 1e-9
    np.testing.assert_allclose(
        np.interp(drawn["coverage"], own.coverage[::-1], own.risk[::-1]), drawn["risk"]
    )


def one_network(rows, *scores):
    """The evidence of one network on one test set, which it validated on, too."""
    place = {"task": "t", "confounder": "none", "source": "s", "arch": "a", "p_art": 0.0, "fold": 1}
    runs = pd.DataFrame([{**place, "test_set": "clean", "n": len(rows)}])
    network = Network("cross_entropy", rows)
    return Evidence("t", "none", runs, [rows], 20, None, asked(*scores), [network])


@given(st.integers(0, 2**20), st.integers(1, 50), st.sampled_from([0.5, 5.0, 80.0]))
@settings(max_examples=30)
def test_of_two_classes_maximum_and_entropy_have_the_same_rows(seed, images, scale):
    rng = generator("two classes", seed)
    logits = np.round(rng.normal(size=(images, 2)) * scale, int(rng.integers(0, 3)))
    rows = measured(table_of(logits, rng.integers(0, 2, images)), seed)
    table = confidence(one_network(rows, "msr", "pe", "mcd_msr", "mcd_pe")).set_index("score")
    numbers = [
        name for name in table.loc[:, "n":"passed"] if not name.startswith(("ece", "threshold"))
    ]
    for one, other in (("msr", "pe"), ("mcd_msr", "mcd_pe")):
        np.testing.assert_array_equal(
            table.loc[one, numbers].astype(float), table.loc[other, numbers].astype(float)
        )


def changed(path, **columns):
    pd.read_parquet(path).assign(**columns).to_parquet(path)


def without(path, name):
    pd.read_parquet(path).drop(columns=name).to_parquet(path)


@pytest.mark.parametrize(
    ("name", "harm", "sentence"),
    [
        ("validation.parquet", lambda path: path.unlink(), "bad/validation.parquet cannot be read"),
        ("validation.parquet", lambda path: path.write_text("no"), "bad/validation.parquet"),
        ("validation.parquet", lambda path: without(path, "logit_1"), "no column logit_1"),
        ("validation.parquet", lambda path: changed(path, mcd_msr=np.nan), "missing in mcd_msr"),
        ("validation.parquet", lambda path: without(path, "mcd_msr"), "'mcd_msr' of .*no column"),
        ("predictions.parquet", lambda path: changed(path, mcd_msr=np.nan), "missing in mcd_msr"),
        (
            "predictions.parquet",
            lambda path: without(path, "mcd_class"),
            "'mcd_msr' of .*mcd_class",
        ),
        ("predictions.parquet", lambda path: changed(path, mcd_msr=2.0), "'mcd_msr' of .*outside"),
        (
            "run.json",
            lambda path: path.write_text(
                json.dumps({**json.loads(path.read_text()), "method_entry": {"kind": "magic"}})
            ),
            "bad/run.json .*'magic'",
        ),
    ],
)
def test_what_cannot_be_made_is_a_sentence(tmp_path, name, harm, sentence):
    folders = write_confident(tmp_path, folds=1, p_art=(0,), images=images_of(8, 8))
    bad = folders[0].rename(tmp_path / "bad")
    harm(bad / name)
    with pytest.raises(SourceBenchError, match=sentence):
        confidence(Evidence.of([bad], "tag", draws=20, asked=asked("msr", "mcd_msr")))


def test_what_a_study_has_not_got_is_a_sentence(folders):
    strange = Evidence.of(folders[:1], "tag", draws=20, asked=Asked(["msr"], 0.9, {}))
    with pytest.raises(
        SourceBenchError, match="on the test set 'artifact', which the task has not"
    ):
        confidence(strange)
    with pytest.raises(SourceBenchError, match="Unknown confidence score 'mrs'"):
        confidence(Evidence.of(folders[:1], "tag", draws=20, asked=asked("mrs")))


def test_a_run_from_before_there_were_methods_is_of_cross_entropy(tmp_path):
    (folder,) = write_confident(tmp_path, folds=1, p_art=(0,), images=images_of(8, 8))
    record = json.loads((folder / "run.json").read_text())
    del record["method_entry"]
    (folder / "run.json").write_text(json.dumps(record))
    network = Network.of(folder)
    assert (network.method, network.plain) == ("cross_entropy", True)
