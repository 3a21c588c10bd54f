"""Metrics against independent implementations, and the table of targets."""

from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import softmax
from scipy.stats import mannwhitneyu
from sklearn.metrics import average_precision_score, f1_score, roc_auc_score
from torchmetrics.functional.classification import binary_average_precision as torch_precision
from torchmetrics.functional.classification import binary_calibration_error as torch_ece

from sourcebench.design.ranges import of_artifact, of_attribute
from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.metrics import METRICS, limits, score
from sourcebench.evaluation.tables.table1 import Target, table1
from sourcebench.seeds import generator


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


def sensitivity_by_hand(labels, margin):
    """Try every threshold, as the definition says."""
    called = margin >= np.append(margin, np.inf)[:, None]
    false = called[:, labels == 0].sum(1) * 10 <= (labels == 0).sum()
    return called[false][:, labels == 1].mean(1).max()


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
    assert scores["specificity"] == pytest.approx(1 - called[labels == 0].mean())
    assert scores["sensitivity"] == pytest.approx(sensitivity_by_hand(labels, margin))
    assert scores["prevalence"] == pytest.approx(labels.mean())
    assert scores["f1"] == pytest.approx(f1_score(labels, called))
    assert scores["brier"] == pytest.approx(np.mean((positive - labels) ** 2))


@pytest.mark.parametrize("steps", [1, 4])
def test_images_with_the_same_score_count_as_in_scikit_learn(steps):
    labels, logits = predictions("ties")
    logits = (logits * steps).round() / steps
    margin = logits[:, 1].astype(float) - logits[:, 0]
    assert len(np.unique(margin)) < len(margin) / 2
    scores = score(table(labels, logits))
    assert scores["auroc"] == pytest.approx(roc_auc_score(labels, margin))
    assert scores["auprc"] == pytest.approx(average_precision_score(labels, margin))
    assert scores["sensitivity"] == pytest.approx(sensitivity_by_hand(labels, margin))


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
    assert np.isnan(scores["sensitivity"])
    assert np.isnan(scores["recall"]) == (label == 0)
    assert np.isnan(scores["specificity"]) == (label == 1)
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


@pytest.mark.parametrize(
    ("sizes", "shares"),
    [([20, 30, 50], "20/30/50"), ([10] + 9 * [5] + [45], "11 classes of 5–45")],
)
def test_table1_gives_each_of_several_classes_its_share(sizes, shares):
    label = np.repeat(np.arange(len(sizes)), sizes)
    ranked = pd.DataFrame({"label": label, "role": np.where(np.arange(100) % 2, "dev", "test")})
    ranked["image_id"] = ranked["patient_id"] = np.arange(100).astype(str)
    ranked["rank"] = np.where(label == 2, 0.5, np.nan)
    part = np.where(np.arange(100) % 10 == 1, "val", "train")
    ranked["fold_1"] = np.where(ranked["role"] == "dev", part, "")
    design = of_artifact(ranked.assign(share=0.5), "tag", [])
    row = table1([Target("Cells", ["Tag"], design, (0, 1), 64, 8)]).iloc[0]
    assert row["Classes in % (pos/neg)"] == shares


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
