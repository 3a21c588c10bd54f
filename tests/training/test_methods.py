"""Methods: what a network is trained to do, apart from what it starts from."""

import json
from dataclasses import dataclass

import pandas as pd
import pytest
import torch
from torch.nn import functional

from sourcebench.axes import Run
from sourcebench.parameters import parameter
from sourcebench.training.finetuning import finetune
from sourcebench.training.methods import CROSS_ENTROPY, METHODS, Method
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
