"""Metrics against independent implementations, and the table of all runs."""

import json
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import mannwhitneyu
from torchmetrics.functional.classification import binary_average_precision as torch_precision
from torchmetrics.functional.classification import binary_calibration_error as torch_ece

from sourcebench.design.ranges import of_artifact, of_attribute
from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.aggregate import collect, read_runs
from sourcebench.evaluation.metrics import METRICS, limits, score
from sourcebench.evaluation.tables.table1 import Target, table1
from sourcebench.files import write_csv
from sourcebench.seeds import generator

AXES = ["task", "confounder", "source", "arch", "p_art", "fold", "test_set"]
SCORES = [
    "auroc", "auprc", "auprc_dg", "auc_keras", "accuracy", "recall", "prevalence", "brier", "ece",
]  # fmt: skip
COLUMNS = [*AXES, "n", *SCORES, "best_epoch", "epochs", "seconds"]


def table(labels, logits):
    logits = np.asarray(logits, np.float32)
    columns = [f"logit_{label}" for label in range(logits.shape[1])]
    return pd.DataFrame(logits, columns=columns).assign(label=labels)


def predictions(name="some", n=83, positives=31, spread=1.5):
    draw = generator("test metrics", name)
    labels = np.arange(n) < positives
    logits = draw.normal(0, spread, (n, 2)) + np.stack([~labels, labels], 1)
    return labels.astype(np.int8), logits.astype(np.float32)


def keras_auc_by_hand(labels, logits, thresholds=200):
    """Follow the documentation of keras.metrics.AUC, one prediction at a time."""
    predicted = softmax(logits.astype(np.float64), axis=1).ravel()
    truth = np.eye(logits.shape[1])[labels].ravel()
    middle = [(i + 1) / (thresholds - 1) for i in range(thresholds - 2)]
    points = []
    for threshold in [0.0 - 1e-7, *middle, 1.0 + 1e-7]:
        true = sum(1 for p, y in zip(predicted, truth, strict=True) if p > threshold and y == 1)
        false = sum(1 for p, y in zip(predicted, truth, strict=True) if p > threshold and y == 0)
        points.append((false / (truth == 0).sum(), true / (truth == 1).sum()))
    return sum((x0 - x1) * (y0 + y1) / 2 for (x0, y0), (x1, y1) in pairwise(points))


@pytest.mark.parametrize("seed", range(5))
def test_metrics_agree_with_independent_implementations(seed):
    labels, logits = predictions(seed)
    scores = score(table(labels, logits))
    margin = logits[:, 1].astype(float) - logits[:, 0]
    positive = softmax(logits.astype(float), axis=1)[:, 1]
    pairs = mannwhitneyu(margin[labels == 1], margin[labels == 0]).statistic / (31 * 52)
    preds, target = torch.tensor(positive), torch.tensor(labels).long()
    assert scores["auroc"] == pytest.approx(pairs)
    assert scores["auprc"] == pytest.approx(float(torch_precision(preds, target)), abs=1e-6)
    assert scores["ece"] == pytest.approx(float(torch_ece(preds, target, n_bins=15)), abs=1e-6)
    assert scores["auc_keras"] == pytest.approx(keras_auc_by_hand(labels, logits))
    called = logits.argmax(1)
    assert scores["accuracy"] == pytest.approx((called == labels).mean())
    assert scores["recall"] == pytest.approx(called[labels == 1].mean())
    assert scores["prevalence"] == pytest.approx(labels.mean())
    assert scores["brier"] == pytest.approx(np.mean((positive - labels) ** 2))


@pytest.mark.parametrize(("first", "second"), [(3.0, -1.0), (0.1, 0.0), (40.0, -40.0)])
def test_constant_classifier_shows_why_auc_keras_is_not_the_headline(first, second):
    labels = np.repeat([0, 1], [52, 31])
    scores = score(table(labels, np.tile([first, second], (83, 1))))
    assert scores["auroc"] == 0.5
    assert scores["auc_keras"] == pytest.approx(52 / 83)  # 0.63
    assert scores["recall"] == 0
    assert scores["auprc"] == pytest.approx(31 / 83)
    assert scores["auprc_dg"] == pytest.approx(31 / 83)


def test_saturated_logits_still_rank():
    scores = score(table([0, 0, 1, 1], [[0, 50], [0, 60], [0, 70], [0, 80]]))
    assert scores["auroc"] == 1
    assert scores["ece"] == pytest.approx(0.5)


@pytest.mark.parametrize("label", [0, 1])
def test_one_class_only_is_nan_not_an_error(label):
    scores = score(table([label] * 3, [[0, 1], [0, 2], [1, 0]]))
    assert np.isnan(scores["auroc"])
    assert np.isnan(scores["auprc"])
    assert np.isnan(scores["auprc_dg"])
    assert np.isnan(scores["recall"]) == (label == 0)
    assert 0 <= scores["auc_keras"] <= 1


@pytest.mark.parametrize(
    ("labels", "logits", "message"),
    [
        ([], np.zeros((0, 2)), "empty"),
        ([0, 2], np.zeros((2, 2)), "neither 0 nor 1"),
        ([0, 3], np.zeros((2, 3)), "not in 0 … 2"),
        ([0, 1], [[0, np.nan], [0, 1]], "diverged"),
    ],
)
def test_nonsense_is_refused(labels, logits, message):
    with pytest.raises(SourceBenchError, match=message):
        score(table(np.array(labels, int), logits))


@given(
    st.lists(st.tuples(st.booleans(), st.integers(-40, 40)), min_size=2, max_size=60).filter(
        lambda rows: len({label for label, _ in rows}) == 2
    )
)
def test_auroc_depends_on_the_ranking_only(rows):
    labels = np.array([label for label, _ in rows], int)
    values = np.array([value for _, value in rows], float) / 8
    auroc = METRICS.get("auroc")

    def of(margins, truth=labels):
        return auroc(truth, np.stack([np.zeros_like(margins), margins], 1))

    assert of(np.exp(values)) == pytest.approx(of(values))
    assert of(values**3 + 5) == pytest.approx(of(values))
    assert of(-values) == pytest.approx(1 - of(values))
    assert of(values, 1 - labels) == pytest.approx(1 - of(values))


@given(st.integers(0, 10_000), st.integers(2, 50))
def test_every_metric_is_in_its_limits_and_ignores_the_order(seed, n):
    draw = generator("test order", seed)
    labels = draw.integers(0, 2, n)
    rows = table(labels, draw.normal(0, 4, (n, 2)))
    scores = score(rows)
    turned = score(rows.sample(frac=1, random_state=seed))
    for name, value in scores.items():
        low, high = limits(name) or (-np.inf, np.inf)
        assert np.isnan(value) or low - 1e-9 <= value <= high + 1e-9, name
        assert turned[name] == pytest.approx(value, nan_ok=True)


def write_run(folder, confounders=("tag",), **changes):
    folder.mkdir(parents=True)
    parts = []
    for confounder in confounders:
        for test_set in ("iid", "ood", "clean"):
            labels, logits = predictions((str(folder.name), confounder, test_set))
            part = table(labels, logits).assign(confounder=confounder, test_set=test_set)
            parts.append(part.assign(image_id="00000001_000.png", artifact=False))
    pd.concat(parts).to_parquet(folder / "predictions.parquet")
    record = {
        "task": "cxr_mass",
        "confounder": "none",
        "source": "imagenet",
        "arch": "resnet50",
        "p_art": 0,
        "fold": 1,
        "best_epoch": 7,
        "epochs": 37,
        "seconds": 12.5,
        "seed": 3,
    }
    (folder / "run.json").write_text(json.dumps({**record, **changes}))
    return folder


def test_collect_yields_the_rows_of_runs_csv(tmp_path):
    folders = [
        write_run(tmp_path / "b", fold=2, p_art="0.5"),
        write_run(tmp_path / "a", ("tag", "denoise")),
        write_run(tmp_path / "c", source="NA", p_art=1),
    ]
    runs = collect(folders)
    assert list(runs.columns) == COLUMNS
    assert len(runs) == 3 + 6 + 3
    assert runs["confounder"].tolist() == ["denoise"] * 3 + ["tag"] * 9
    assert runs["p_art"].dtype == float
    assert runs["fold"].dtype == runs["n"].dtype == runs["epochs"].dtype == np.int64
    labels, logits = predictions(("b", "tag", "ood"))
    row = runs[(runs["fold"] == 2) & (runs["test_set"] == "ood")].iloc[0]
    assert row["auroc"] == score(table(labels, logits))["auroc"]
    assert (row["n"], row["epochs"], row["seconds"]) == (83, 37, 12.5)
    pd.testing.assert_frame_equal(collect(folders[::-1]), runs)

    write_csv(tmp_path / "runs.csv", runs)
    pd.testing.assert_frame_equal(read_runs(tmp_path / "runs.csv"), runs)


def test_a_further_axis_is_a_further_column(tmp_path):
    folders = [write_run(tmp_path / str(share), fraction=share) for share in (0.1, 1)]
    with pytest.raises(SourceBenchError, match="same run"):
        collect(folders)
    runs = collect(folders, further=["fraction"])
    assert runs["fraction"].tolist() == [0.1] * 3 + [1.0] * 3
    assert list(runs.columns).index("fraction") == COLUMNS.index("fold")


def truncate(path):
    path.write_bytes(path.read_bytes()[:100])


def drop_column(path):
    pd.read_parquet(path).drop(columns="logit_1").to_parquet(path)


def empty(path):
    pd.read_parquet(path).iloc[:0].to_parquet(path)


def hole(path):
    rows = pd.read_parquet(path).reset_index(drop=True)
    rows.loc[0, "test_set"] = None
    rows.to_parquet(path)


def diverge(path):
    pd.read_parquet(path).assign(logit_0=np.nan).to_parquet(path)


@pytest.mark.parametrize(
    ("name", "harm"),
    [
        ("predictions.parquet", Path.unlink),
        ("predictions.parquet", truncate),
        ("predictions.parquet", drop_column),
        ("predictions.parquet", empty),
        ("predictions.parquet", hole),
        ("predictions.parquet", diverge),
        ("run.json", Path.unlink),
        ("run.json", truncate),
        ("run.json", lambda path: path.write_text("[]")),
        ("run.json", lambda path: path.write_text('{"task": "a"}')),
        ("run.json", lambda path: path.write_text(path.read_text().replace("37", '"many"'))),
    ],
)
def test_a_damaged_run_is_named(tmp_path, name, harm):
    folders = [write_run(tmp_path / "good"), write_run(tmp_path / "bad", fold=2)]
    harm(folders[1] / name)
    with pytest.raises(SourceBenchError, match=f"bad/{name}"):
        collect(folders)


def test_no_runs_and_no_table_are_clear_errors(tmp_path):
    with pytest.raises(SourceBenchError, match="no runs"):
        collect([])
    (tmp_path / "other.csv").write_text("a,b\n1,2\n")
    for name in ("other.csv", "missing.csv"):
        with pytest.raises(SourceBenchError, match=name):
            read_runs(tmp_path / name)


def test_table1_counts_what_a_run_sees_of_a_sampled_confounder():
    kinds = [("test", 1, 0), ("test", 1, 1), ("test", 0, 0), ("test", 0, 1)]
    kinds += [("dev", 1, 0), ("dev", 1, 1), ("dev", 0, 0)]
    rows = [(*kind, i) for kind in kinds for i in range(200)]
    ranked = pd.DataFrame(rows, columns=["role", "label", "carrier", "i"]).assign(share=0.5)
    ranked["image_id"] = ranked["patient_id"] = np.arange(len(ranked)).astype(str)
    ranked["rank"] = np.where(ranked["label"] == 1, (ranked["i"] + 0.5) / 200, np.nan)
    part = np.where(ranked["i"] % 20 < 3, "val", "train")
    ranked["fold_1"] = np.where(ranked["role"] == "dev", part, "")
    target = Target("Atelectasis", ["Gender"], of_attribute(ranked, []), (0, 0.1, 0.5, 1), 256, 64)
    row = table1([target]).iloc[0].to_dict()
    assert row["Images (test/dev)"] == "400/400"  # the paper's Table 1
    assert row["Split in % (train/val)"] == "85/15"
    assert row["Classes in % (pos/neg)"] == "50/50"
    assert row["Pool (test/dev)"] == "800/600"
    assert row["Classes of the pool in % (pos/neg)"] == "57/43"
    fewer = (ranked["role"] == "dev") & (ranked["carrier"] == 1) & (ranked["i"] < 4)
    uneven = table1([replace(target, design=of_attribute(ranked[~fewer], []))]).iloc[0]
    assert uneven["Images (test/dev)"] == "400/396–400"


def test_table1_gives_each_of_several_classes_its_share():
    label = np.repeat([0, 1, 2], [20, 30, 50])
    ranked = pd.DataFrame({"label": label, "role": np.where(np.arange(100) % 2, "dev", "test")})
    ranked["image_id"] = ranked["patient_id"] = np.arange(100).astype(str)
    ranked["rank"] = np.where(label == 2, 0.5, np.nan)
    part = np.where(np.arange(100) % 10 == 1, "val", "train")
    ranked["fold_1"] = np.where(ranked["role"] == "dev", part, "")
    design = of_artifact(ranked.assign(share=0.5), "tag", [])
    row = table1([Target("Cells", ["Tag"], design, (0, 1), 64, 8)]).iloc[0]
    assert row["Classes in % (pos/neg)"] == "20/30/50"


def test_table1_describes_the_target_as_the_paper_does():
    label = np.repeat([1, 0, 1, 0], [31, 52, 68, 180])
    role = np.repeat(["test", "dev"], [83, 248])
    ranked = pd.DataFrame({"label": label, "role": role, "share": 0.5})
    for fold in range(5):
        part = np.where(np.arange(331) % 10 == fold, "val", "train")
        ranked[f"fold_{fold + 1}"] = np.where(role == "dev", part, "")
    ranked["image_id"] = ranked["patient_id"] = np.arange(331).astype(str)
    ranked["rank"] = np.where(label == 1, 0.5, np.nan)
    made = of_artifact(ranked, "tag", [])
    result = table1([Target("Lung mass", ["Tag", "Denoising"], made, (0, 1), 512, 32)])
    assert result.iloc[0].tolist() == [
        "Lung mass",
        "Tag, Denoising",
        "83/248",
        "90/10",
        "30/70",
        "512 × 512",
        "32",
        "83/248",
        "30/70",
    ]
