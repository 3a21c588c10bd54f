"""Deep Gamblers: its loss, what it does best to reserve, its epochs, and what it finds out."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import roc_auc_score

from sourcebench.errors import SourceBenchError
from sourcebench.training.methods import CROSS_ENTROPY, METHODS, Plan, is_plain
from test_finetuning import world
from toy_methods import alone, blobs, run_of, trained

__all__ = ["alone", "world"]


def gamblers(**values):
    return METHODS.build("deep_gamblers", **values)


def test_the_loss_is_the_papers():
    """By hand: q = (0.5, 0.2, 0.3) and o = 2 make −ln(0.5 + 0.15); and with random outputs."""
    outputs = torch.tensor([[0.5, 0.2, 0.3]], dtype=torch.float64).log()
    method = gamblers(reward=2)
    assert float(method.loss(outputs, torch.tensor([0]))) == pytest.approx(-np.log(0.65))
    assert float(method.loss(outputs, torch.tensor([1]))) == pytest.approx(-np.log(0.35))
    assert float(method.confidence(outputs)[0]) == pytest.approx(0.7)
    rng = torch.Generator().manual_seed(0)
    outputs = 3 * torch.randn(20, 6, generator=rng, dtype=torch.float64)
    labels = torch.randint(5, (20,), generator=rng)
    bets = outputs.exp() / outputs.exp().sum(1, keepdim=True)
    # As the authors' own page has it, ln(o·q_y + q_res), less ln o.
    published = -(2.2 * bets[range(20), labels] + bets[:, 5]).log() + np.log(2.2)
    method = gamblers(reward=2.2)
    torch.testing.assert_close(method.loss(outputs, labels, "none"), published)
    torch.testing.assert_close(method.loss(outputs, labels), published.mean())
    torch.testing.assert_close(method.confidence(outputs), 1 - bets[:, 5])
    assert method.outputs(5) == 6


def test_no_share_underflows():
    outputs = torch.tensor([[200.0, 0, -300], [0, 200, -300]], requires_grad=True)
    loss = gamblers().loss(outputs, torch.tensor([1, 1]), "none")
    loss.sum().backward()
    assert loss.tolist() == pytest.approx([200, 0])
    assert outputs.grad.isfinite().all()


def best_bets(sure, reward, parts=200):
    """What of all bets on two classes, in steps of 1/200, has the least expected loss.

    Args:
        sure: the chance of the first class.
        reward: of a right bet.
        parts: steps.
    """
    steps = np.arange(parts + 1) / parts
    first, reserved = (each.ravel() for each in np.meshgrid(steps, steps))
    bets = np.stack([first, 1 - first - reserved, reserved], 1)
    bets = bets[bets[:, 1] > -1e-9].clip(1e-12)
    outputs, labels = torch.tensor(bets).log(), torch.zeros(len(bets), dtype=torch.int64)
    won, lost = (gamblers(reward=reward).loss(outputs, labels + i, "none") for i in (0, 1))
    return bets[int((sure * won + (1 - sure) * lost).argmin())]


@pytest.mark.parametrize("reward", [1.2, 1.5, 1.9])
def test_it_is_best_to_reserve_what_is_unsure_under_a_reward_below_the_classes(reward):
    """Of two classes: to bet on the likelier alone, (p·o − 1) / (o − 1), if that is above 0.

    That is Kelly's bet at odds of o − 1 to 1; where it isn't, all is reserved.
    """
    shares = []
    for sure in (0.99, 0.9, 0.7, 0.55):
        bets = best_bets(sure, reward)
        kelly = max(0, (sure * reward - 1) / (reward - 1))
        assert bets[2] == pytest.approx(1 - kelly, abs=0.01)
        shares.append(bets[2])
    assert shares == sorted(shares)


@pytest.mark.parametrize("reward", [2.2, 10, 20])
def test_it_is_best_to_reserve_nothing_under_a_reward_above_them(reward):
    for sure in (0.99, 0.7, 0.55):
        bets = best_bets(sure, reward)
        assert bets[2] < 0.01
        assert bets[0] == pytest.approx(sure, abs=0.01)
    assert f"reward of {reward:g} with 2 classes" in gamblers(reward=reward).remark(2)
    assert gamblers(reward=reward).remark(20) is None


def test_at_the_number_of_classes_all_reservations_are_alike():
    """With o = K = 2 a reserved share is two equal bets: the loss knows only what they come to."""
    method, labels = gamblers(reward=2), torch.tensor([0, 1])
    losses = []
    for reserved in (0.0, 0.2, 0.6):
        bets = torch.tensor([0.7 - reserved / 2, 0.3 - reserved / 2, reserved]).double()
        losses.append(method.loss(bets.log().expand(2, -1), labels, "none"))
    torch.testing.assert_close(losses[0], losses[1])
    torch.testing.assert_close(losses[0], losses[2])


@pytest.mark.parametrize(
    ("pretrain", "epochs", "first"),
    [(0.75, 20, 16), (0.75, 30, 23), (0.75, 1, 1), (0.5, 3, 2), (0, 5, 1), (0.29, 100, 30)],
)
def test_the_first_epochs_are_cross_entropy(pretrain, epochs, first):
    objective = gamblers(pretrain=pretrain).objective(Plan(2, epochs))
    assert objective.first == first
    outputs, labels = torch.randn(4, 3), torch.arange(4) % 2
    usual, gamble = CROSS_ENTROPY.loss(outputs[:, :2], labels), gamblers().loss(outputs, labels)
    for epoch in range(1, epochs + 1):
        objective.epoch_begins(epoch)
        expected = gamble if epoch >= first else usual
        assert torch.equal(objective.training(outputs, labels, 2 * labels), expected)
        assert torch.equal(objective.validation(outputs, labels), expected)


def test_no_epoch_before_the_gambling_is_the_best(world, tmp_path):
    """Nor does patience run out in them: with a patience of 1 they are all there."""
    changes = {"epochs": 8, "patience": 1, "learning_rate": 0.01, "monitor": "auroc"}
    usual = run_of(world, tmp_path, CROSS_ENTROPY, **changes)
    assert usual["best_epoch"] < usual["epochs"] < 6
    record = run_of(world, tmp_path, gamblers(pretrain=0.75), **changes)
    assert (record["best_epoch"], record["epochs"]) == (7, 8)
    assert record["method_entry"] == {"kind": "deep_gamblers", "reward": 2.0, "pretrain": 0.75}
    assert json.loads((tmp_path / "run.json").read_text())["method_entry"]["reward"] == 2
    table = pd.read_parquet(tmp_path / "predictions.parquet")
    assert list(table.columns)[-3:] == ["logit_0", "logit_1", "confidence"]
    assert table["confidence"].dtype == "float64"
    assert table["confidence"].between(0, 1).all()
    assert table["confidence"].nunique() > 10


def test_what_it_reserves_is_where_labels_are_noise():
    points, labels, noisy = blobs()
    outputs = trained(gamblers(reward=1.5, pretrain=0.25), points, labels, epochs=120)
    confidence = gamblers().confidence(outputs).numpy()
    assert roc_auc_score(~noisy, confidence) > 0.9
    assert confidence[noisy].mean() < confidence[~noisy].mean() - 0.5


def test_what_it_takes():
    with pytest.raises(SourceBenchError, match="reward is 1; it must be a number over 1"):
        gamblers(reward=1)
    with pytest.raises(SourceBenchError, match="pretrain is 1; it must be a number of at least 0"):
        gamblers(pretrain=1)
    assert not is_plain("deep_gamblers")
