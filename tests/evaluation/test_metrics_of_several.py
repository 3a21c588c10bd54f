"""Metrics of more than two classes, against independent implementations."""

import numpy as np
import pytest
import sklearn.metrics as sklearn
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import softmax
from torchmetrics.functional.classification import multiclass_calibration_error as torch_ece

from sourcebench.evaluation.metrics import METRICS, limits, margin, margins, score
from sourcebench.seeds import generator
from test_metrics import keras_auc_by_hand, table


@pytest.mark.parametrize("classes", [3, 8])
@pytest.mark.parametrize("spread", [0.5, 3])
def test_metrics_of_several_classes_agree_with_independent_implementations(classes, spread):
    draw = generator("several", classes, spread)
    labels = draw.permutation(np.arange(200) % classes)
    logits = draw.normal(0, spread, (200, classes)) + 1.5 * np.eye(classes)[labels]
    logits = logits.astype(np.float32).astype(float)
    scores = score(table(labels, logits))
    shares, one_hot = softmax(logits, axis=1), np.eye(classes, dtype=int)[labels]
    expected = {
        "auroc": sklearn.roc_auc_score(labels, shares, multi_class="ovr", average="macro"),
        "auprc": sklearn.average_precision_score(one_hot, shares, average="macro"),
        "auc_keras": keras_auc_by_hand(labels, logits),
        "accuracy": sklearn.accuracy_score(labels, shares.argmax(1)),
        "balanced_accuracy": sklearn.balanced_accuracy_score(labels, shares.argmax(1)),
        "f1": sklearn.f1_score(labels, shares.argmax(1), average="macro"),
        "brier": sklearn.brier_score_loss(labels, shares, scale_by_half=True),
        "ece": float(
            torch_ece(torch.tensor(shares), torch.tensor(labels), num_classes=classes, n_bins=15)
        ),
        "nll": sklearn.log_loss(labels, shares),
    }
    assert {name: scores[name] for name in expected} == pytest.approx(expected, abs=1e-6)
    of_two = {"recall", "specificity", "sensitivity", "prevalence"}
    assert np.isnan([scores[name] for name in of_two]).all()
    assert scores.keys() - expected == {*of_two, "auprc_dg"}
    each = [
        score(table(one_hot[:, label], np.stack([np.zeros(200), log_odds], 1)))["auprc_dg"]
        for label, log_odds in enumerate((np.log(shares) - np.log1p(-shares)).T)
    ]
    assert scores["auprc_dg"] == pytest.approx(np.mean(each))


@pytest.mark.parametrize("classes", [2, 3, 8])
def test_auc_keras_is_what_keras_says(keras, classes):
    draw = generator("keras", classes)
    labels = draw.integers(0, classes, 120)
    logits = draw.normal(0, 2, (120, classes)) + np.eye(classes)[labels]
    metric = keras.metrics.AUC()
    metric.update_state(np.eye(classes)[labels], softmax(logits, axis=1))
    ours = METRICS.get("auc_keras")(labels, logits)
    assert ours == pytest.approx(float(metric.result()), abs=1e-5)


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(3, 9))
def test_metrics_of_several_classes_do_not_depend_on_their_order(seed, classes):
    draw = generator("classes", seed)
    labels = np.append(np.arange(classes), draw.integers(0, classes, 40))
    logits = draw.normal(0, 4, (len(labels), classes))
    order = draw.permutation(classes)
    scores = score(table(labels, logits))
    turned = score(table(np.argsort(order)[labels], logits[:, order]))
    assert turned == pytest.approx(scores, nan_ok=True)
    low, high = np.array([limits(name) or (0, np.inf) for name in scores]).T
    values = np.array(list(scores.values()))
    assert (np.isnan(values) | ((low - 1e-9 <= values) & (values <= high + 1e-9))).all()


def test_a_missing_class_of_several_is_nan_where_it_counts():
    scores = score(table([0, 1, 0, 1], np.eye(3)[[0, 1, 1, 1]]))
    undefined = {name for name, value in scores.items() if np.isnan(value)}
    assert undefined == {
        "auroc", "auprc", "auprc_dg", "recall", "specificity", "sensitivity", "prevalence",
        "balanced_accuracy", "f1",
    }  # fmt: skip
    assert scores["accuracy"] == 0.75


@settings(deadline=None, max_examples=30)
@given(st.integers(0, 10_000), st.integers(2, 9), st.sampled_from([1, 30, 700]))
def test_log_odds_of_all_classes_are_those_of_each(seed, classes, spread):
    logits = generator("odds", seed).normal(0, spread, (20, classes))
    expected = np.stack([margin(logits, label) for label in range(classes)], 1)
    np.testing.assert_allclose(margins(logits), expected, rtol=1e-9, atol=1e-9)


def test_logits_of_several_classes_rank_where_their_softmax_is_saturated():
    logits = np.stack([np.zeros(4), [50, 60, 70, 80], np.full(4, -90.0)], 1)
    labels = np.array([0, 0, 1, 1])
    assert METRICS.get("auroc")(np.array([0, 2, 1, 1]), logits) > 0.5
    assert list(margin(logits, 1)) == pytest.approx([50, 60, 70, 80])
    assert METRICS.get("nll")(labels, logits) == pytest.approx(55 / 2)
