"""Optimisers, schedules and which epoch is tested, each as its formula says."""

import math

import numpy as np
import pytest
import pytorch_lightning as lightning
import torch
from torch.utils.data import DataLoader, TensorDataset

from sourcebench.models.classifier import Classifier
from sourcebench.study.schema import schema
from sourcebench.training.augmentation import Augmentation
from sourcebench.training.module import FineTuner
from sourcebench.training.optimiser import OPTIMISERS, SCHEDULES, Descent, KerasAdam
from sourcebench.training.runs import Recipe
from sourcebench.training.trainer import CHOICES, trainer_of

CPU = torch.device("cpu")


def recipe(**changes):
    usual = {"epochs": 4, "patience": 30, "learning_rate": 0.1, "dropout": 0, "batch_size": 8,
             "monitor": "loss", "augmentation": Augmentation(), "precision": "fp32"}  # fmt: skip
    return Recipe(**usual | changes)


def stepped(optimiser, weights, gradients):
    """The weights after steps along given gradients."""
    for gradient in gradients:
        weights.grad = gradient.clone()
        optimiser.step()
    return weights.detach().numpy()


def adam(weights, gradients, rate, epsilon, decay):
    """Algorithm 1 of Kingma & Ba (ICLR 2015), with `decay` times the weights in the gradient."""
    weights, first, second = weights.astype(float), 0.0, 0.0
    for t, gradient in enumerate(gradients, start=1):
        gradient = gradient + decay * weights
        first = 0.9 * first + 0.1 * gradient
        second = 0.999 * second + 0.001 * gradient**2
        corrected = np.sqrt(second / (1 - 0.999**t))
        weights = weights - rate * first / (1 - 0.9**t) / (corrected + epsilon(t))
    return weights


@pytest.mark.parametrize("decay", [0.0, 0.1])
@pytest.mark.parametrize("name", OPTIMISERS)
def test_optimisers_follow_their_formula(name, decay):
    start = torch.tensor([0.5, -2.0, 3.0])
    generator = torch.Generator().manual_seed(1)
    gradients = [torch.randn(3, generator=generator) * 1e-6 for _ in range(5)]  # ε counts
    weights = torch.nn.Parameter(start.clone())
    optimiser = Descent(name, decay).configured([weights], 0.01, pytest.fail)
    epsilon = {"adam": lambda t: 1e-8, "keras_adam": lambda t: 1e-7 / math.sqrt(1 - 0.999**t)}
    expected = adam(start.numpy(), [g.numpy() for g in gradients], 0.01, epsilon[name], decay)
    np.testing.assert_allclose(stepped(optimiser, weights, gradients), expected, rtol=1e-5)


def test_the_config_knows_the_same_names():
    keys = schema()["properties"]["training"]["properties"]
    for key, names in {"optimiser": OPTIMISERS, "schedule": SCHEDULES, "choose": CHOICES}.items():
        assert keys[key]["enum"] == list(names)


def test_nothing_said_is_keras_adam_alone():
    optimiser = FineTuner(torch.nn.Linear(2, 2), 1e-5).configure_optimizers()
    assert type(optimiser) is KerasAdam
    (group,) = optimiser.param_groups
    assert (group["lr"], group["weight_decay"]) == (1e-5, 0)
    default = recipe()
    assert default.descent == Descent("keras_adam", 0, "constant")
    assert (default.clip, default.choose) == (None, "best")


class Blank(torch.nn.Module):
    """A backbone that hands on what it gets."""

    num_features = 2

    def forward(self, images):
        return images


class Watch(lightning.Callback):
    """Note the learning rate and the gradient of every step."""

    def __init__(self):
        self.rates, self.norms = [], []

    def on_before_zero_grad(self, trainer, pl_module, optimizer):
        self.rates.append([group["lr"] for group in optimizer.param_groups])
        gradients = [p.grad for p in pl_module.parameters() if p.grad is not None]
        if gradients:
            self.norms.append(float(torch.cat([g.flatten() for g in gradients]).norm()))


def trained(folder, seed=0, **changes):
    """A linear classifier of blobs whose validation labels are wrong: each epoch it is worse."""
    lightning.seed_everything(seed, verbose=False)
    labels = torch.arange(32) % 2
    points = torch.randn(32, 2) + 3 * (2 * labels[:, None] - 1)
    asked = recipe(**changes)
    model = FineTuner(Classifier(Blank(), 2, 0), asked.learning_rate, descent=asked.descent)
    torch.nn.init.zeros_(model.network.head.weight)
    trainer, history, chosen = trainer_of(asked, CPU, folder)
    watch = Watch()
    trainer.callbacks.append(watch)
    loaders = (
        DataLoader(TensorDataset(points, each, 2 * each), batch_size=asked.batch_size)
        for each in (labels, 1 - labels)
    )
    trainer.fit(model, *loaders)
    return model, history.rows, chosen, watch


def test_the_cosine_falls_from_epoch_to_epoch(tmp_path):
    _, rows, _, watch = trained(tmp_path, schedule="cosine", choose="last", epochs=5)
    steps = np.array(watch.rates).reshape(5, 4)
    assert len(rows) == 5
    assert (steps == steps[:, :1]).all()  # within an epoch it stays
    expected = [0.1 * (1 + math.cos(math.pi * epoch / 5)) / 2 for epoch in range(5)]
    np.testing.assert_allclose(steps[:, 0], expected)


def test_gradients_are_clipped_by_their_norm(tmp_path):
    free = trained(tmp_path, choose="last")[3].norms
    clipped = trained(tmp_path, choose="last", clip=0.05)[3].norms
    assert max(free) > 0.06
    assert max(clipped) == pytest.approx(0.05, rel=1e-4)


def test_the_last_epoch_is_tested_where_it_is_chosen(tmp_path):
    slow = {"patience": 1, "learning_rate": 0.01}
    best, rows, chosen, _ = trained(tmp_path, choose="best", **slow)
    assert (chosen.epoch, len(rows)) == (1, 2)
    last, rows, chosen, _ = trained(tmp_path, choose="last", **slow)
    assert (chosen.epoch, len(rows)) == (4, 4)
    longer, *_ = trained(tmp_path, choose="best", epochs=1, **slow)
    assert torch.equal(best.network.head.weight, longer.network.head.weight)
    assert not torch.equal(best.network.head.weight, last.network.head.weight)
