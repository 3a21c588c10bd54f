"""Methods: what a network is trained to do, apart from what it starts from."""

import json
import re
from dataclasses import dataclass

import pandas as pd
import pytest
import torch
from torch.nn import functional

from conftest import ROOT
from sourcebench import plugins
from sourcebench.axes import Run
from sourcebench.fingerprints import code_of
from sourcebench.parameters import parameter
from sourcebench.training.finetuning import finetune
from sourcebench.training.methods import (
    CROSS_ENTROPY,
    METHODS,
    Method,
    Plan,
    is_plain,
    procedure_of,
)
from sourcebench.training.methods.procedure import epochs_of
from test_finetuning import outputs, recipe, world

__all__ = ["world"]


@pytest.fixture
def abstaining(monkeypatch):
    """A method of one's own, whose networks may bet on a third output that they don't know."""
    monkeypatch.setattr(METHODS, "_entries", dict(METHODS._entries))

    @METHODS.register("abstaining")
    @dataclass(frozen=True)
    class Abstaining(Method):
        title = "Abstaining"

        payoff: float = parameter(1.5, help="what a right bet is worth", low=1, high=2)

        def outputs(self, classes):
            return classes + 1

        def loss(self, outputs, labels, reduction="mean"):
            bets = outputs.softmax(1)
            won = self.payoff * bets.gather(1, labels[:, None]).squeeze(1) + bets[:, -1]
            losses = -won.log()
            return losses.mean() if reduction == "mean" else losses

    return Abstaining


def test_cross_entropy_is_pytorchs_for_all_images_and_for_each():
    outputs = torch.randn(7, 3, generator=torch.Generator().manual_seed(0))
    labels = torch.arange(7) % 3
    mean, each = CROSS_ENTROPY.loss(outputs, labels), CROSS_ENTROPY.loss(outputs, labels, "none")
    assert torch.equal(mean, functional.cross_entropy(outputs, labels))
    torch.testing.assert_close(each, -outputs.log_softmax(1)[range(7), labels])
    assert CROSS_ENTROPY.outputs(3) == 3
    assert "cross_entropy" in METHODS


def test_the_code_of_cross_entropy_is_that_of_finished_studies():
    """An edit of it, or of base.py, trains every network of every study again.

    What methods have in common beyond a loss belongs into procedure.py. Where cross-entropy is
    meant to compute something else, this digest changes with it.
    """
    assert code_of(CROSS_ENTROPY) == "5ce07bc0117c47fc2f51ddf7c857c0a7"


def test_a_method_of_ones_own_trains_with_outputs_of_its_own(world, tmp_path, abstaining):
    """It is one class; what is written of its networks are the classes' logits."""
    layers, table, *_ = world

    def run(method):
        folder = tmp_path / method.kind
        record = finetune(
            Run("t", "corner", "random", "tiny_resnet", 1.0, 1), recipe(epochs=1),
            designs={"corner": table}, layers=layers, weights=None, seed=1,
            outputs=outputs(folder), method=method,
        )  # fmt: skip
        assert json.loads((folder / "run.json").read_text()) == json.loads(json.dumps(record))
        return record, pd.read_parquet(folder / "predictions.parquet"), (
            pd.read_csv(folder / "history.csv")["val_loss"].item()
        )  # fmt: skip

    usual, predictions, loss = run(CROSS_ENTROPY)
    record, other, other_loss = run(abstaining(payoff="1.2"))
    assert usual["method_entry"] == {"kind": "cross_entropy"}
    assert record["method_entry"] == {"kind": "abstaining", "payoff": 1.2}
    assert list(other.columns) == list(predictions.columns)
    assert not other["logit_1"].equals(predictions["logit_1"])
    assert loss != other_loss
    assert not is_plain("abstaining")


def test_what_every_method_is_told(world, tmp_path, monkeypatch):
    """The groups of each batch are those of its images, and their numbers those of the plan."""
    told, seen = [], []

    class Objective(type(procedure_of(CROSS_ENTROPY).objective(Plan()))):
        def training(self, outputs, labels, groups):
            seen.append((labels, groups))
            return super().training(outputs, labels, groups)

    def objective(self, plan):
        told.append(plan)
        return Objective(self)

    monkeypatch.setattr(type(procedure_of(CROSS_ENTROPY)), "objective", objective)
    layers, table, *_ = world
    finetune(
        Run("t", "corner", "random", "tiny_resnet", 0.5, 1), recipe(epochs=1),
        designs={"corner": table}, layers=layers, weights=None, seed=1, outputs=outputs(tmp_path),
    )  # fmt: skip
    labels, groups = map(torch.cat, zip(*seen, strict=True))
    assert groups.dtype == torch.int64
    assert torch.equal(groups // 2, labels)
    (plan,) = told
    assert plan.groups == tuple(torch.bincount(groups, minlength=4).tolist())
    assert plan.groups[1] == 0  # no negative carries the artifact, half of the positives do
    assert plan.groups[2] == plan.groups[3] > 0
    assert (plan.classes, plan.epochs) == (2, 1)
    drawn = (torch.rand(3, generator=plan.generator()) for _ in range(2))
    assert torch.equal(*drawn)


def test_a_share_of_the_epochs_is_rounded_up():
    assert [epochs_of(0.25, n) for n in (0, 1, 4, 20)] == [0, 1, 1, 5]
    assert epochs_of(1 / 3, 45) == epochs_of(0.1 + 0.2, 50) == 15


def test_the_method_of_contributing(tmp_path, forgotten):
    """It is written as it stands there, and is what its paper says."""
    (code,) = re.findall(r"```python\n(.*?)```", (ROOT / "CONTRIBUTING.md").read_text(), re.S)
    (tmp_path / "smoothed.py").write_text(code)
    plugins.load([str(tmp_path / "smoothed.py")])
    method = METHODS.build("smoothed", share=0.3)
    outputs, labels = torch.randn(5, 4), torch.tensor([0, 1, 2, 3, 0])
    logs = outputs.log_softmax(1)
    expected = -0.7 * logs[range(5), labels] - 0.3 * logs.mean(1)
    torch.testing.assert_close(method.loss(outputs, labels, "none"), expected)
    torch.testing.assert_close(procedure_of(method).loss(outputs, labels), expected.mean())
    assert is_plain("smoothed")
