"""DeVries & Taylor: the loss with hints, the budget, and what the confidence finds out."""

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score

from sourcebench.errors import SourceBenchError
from sourcebench.training.methods import METHODS, Plan, is_plain
from test_finetuning import world
from toy_methods import alone, blobs, run_of, trained

__all__ = ["alone", "world"]


def hints(**values):
    return METHODS.build("devries", **values)


def published(outputs, labels, hinted, weight):
    """The loss as the paper and the authors' code have it, in float64, clamps and all."""
    outputs = outputs.double().numpy()
    bets = np.exp(outputs[:, :-1])
    bets /= bets.sum(1, keepdims=True)
    sure = 1 / (1 + np.exp(-outputs[:, -1]))
    bets, sure = (each.clip(1e-12, 1 - 1e-12) for each in (bets, sure))
    share = np.where(hinted, sure, 1)[:, None]
    told = share * bets + (1 - share) * np.eye(bets.shape[1])[labels]
    return -np.log(told[np.arange(len(labels)), labels]).mean() - weight * np.log(sure).mean()


def drawn_hints(seed, n):
    """Who is given a hint in the first batch: B ~ Bernoulli(u), u ~ U(0, 1)."""
    chances, drawn = torch.rand(2, n, generator=Plan(seed=seed).generator())
    return (drawn < chances).numpy()


@pytest.mark.parametrize("classes", [2, 5])
def test_the_loss_is_the_papers(classes):
    rng = torch.Generator().manual_seed(1)
    outputs = 2 * torch.randn(40, classes + 1, generator=rng)
    labels = torch.randint(classes, (40,), generator=rng)
    objective = hints(weight=0.25).objective(Plan(classes, 1, seed=3))
    loss = float(objective.training(outputs, labels, 2 * labels))
    hinted = drawn_hints(3, 40)
    assert 0 < hinted.sum() < 40
    assert loss == pytest.approx(published(outputs, labels.numpy(), hinted, 0.25), rel=1e-5)
    plain = torch.nn.functional.cross_entropy(outputs[:, :classes], labels)
    assert torch.equal(objective.validation(outputs, labels), plain)
    assert hints().outputs(classes) == classes + 1


def test_one_image_by_hand():
    """p = (0.8, 0.2), c = 0.6, of class 1: with a hint 0.6·0.2 + 0.4 = 0.52, without 0.2."""
    outputs = torch.tensor([[np.log(0.8), np.log(0.2), np.log(0.6 / 0.4)]])
    told = {True: 0.52, False: 0.2}
    seen = set()
    for seed in range(12):
        (hinted,) = drawn_hints(seed, 1)
        loss = hints().objective(Plan(seed=seed)).training(outputs, torch.tensor([1]), None)
        expected = -np.log(told[bool(hinted)]) - 0.1 * np.log(0.6)
        assert float(loss) == pytest.approx(expected, rel=1e-5)
        seen.add(bool(hinted))
    assert seen == {True, False}
    assert float(hints().confidence(outputs)[0]) == pytest.approx(0.6)


def test_half_of_all_images_get_a_hint():
    assert drawn_hints(0, 20_000).mean() == pytest.approx(0.5, abs=0.02)


def test_the_weight_follows_the_budget():
    """ln 2 is above 0.3 and below 0.7, of a confidence of 0.5."""
    outputs, labels = torch.zeros(4, 3), torch.zeros(4, dtype=torch.int64)
    for budget, factor in ((0.3, 1 / 0.99), (0.7, 1 / 1.01)):
        objective = hints(budget=budget, weight=0.2).objective(Plan())
        for step in range(4):
            assert float(objective.weight) == pytest.approx(0.2 * factor**step)
            objective.training(outputs, labels, 2 * labels)


def test_nothing_overflows():
    outputs = torch.tensor([[200.0, 0, 300], [200, 0, -300]], requires_grad=True)
    objective = hints().objective(Plan())
    for _ in range(5):
        loss = objective.training(outputs, torch.tensor([1, 1]), None)
        loss.backward()
        assert loss.isfinite()
        assert outputs.grad.isfinite().all()


def test_the_confidence_is_low_where_labels_are_noise():
    points, labels, noisy = blobs()
    outputs = trained(hints(), points, labels, epochs=300)
    confidence = hints().confidence(outputs).numpy()
    assert confidence.dtype == np.float64
    assert roc_auc_score(~noisy, confidence) > 0.9


def test_a_run_is_the_same_each_time_and_takes_its_share_of_the_epochs(world, tmp_path):
    """The hints are drawn from a stream of their own: dropout and order are cross-entropy's."""
    changes = {"epochs": 3}
    record = run_of(world, tmp_path / "a", hints(epochs=0.5), **changes)
    run_of(world, tmp_path / "b", hints(epochs=0.5), **changes)
    assert record["epochs"] == 2
    first, again = (pd.read_parquet(tmp_path / n / "predictions.parquet") for n in "ab")
    pd.testing.assert_frame_equal(first, again, check_exact=True)
    assert list(first.columns)[-3:] == ["logit_0", "logit_1", "confidence"]
    assert first["confidence"].between(0, 1).all()
    state = torch.random.get_rng_state()
    hints().objective(Plan(seed=5)).training(torch.zeros(4, 3), torch.zeros(4).long(), None)
    assert torch.equal(torch.random.get_rng_state(), state)


def test_what_it_takes():
    with pytest.raises(SourceBenchError, match="epochs is 0; it must be a number over 0"):
        hints(epochs=0)
    assert not is_plain("devries")
