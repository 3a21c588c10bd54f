"""Training with an output that says how much of a hint a network wants."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sourcebench.parameters import parameter
from sourcebench.training.methods.base import METHODS, Method, Reduction
from sourcebench.training.methods.cross_entropy import CROSS_ENTROPY
from sourcebench.training.methods.procedure import Objective, Plan, Procedure, epochs_of

if TYPE_CHECKING:
    from torch import Tensor

DOWN, UP = 1.01, 0.99
"""What the weight of the confidence loss is divided by, below the budget and above it."""


@METHODS.register("devries")
@dataclass(frozen=True)
class DeVries(Procedure, Method):
    """Learned confidence: an output that buys hints (DeVries & Taylor, arXiv 1802.04865, 2018).

    With p the softmax over the K classes and c the sigmoid of one more output, the confidence, half
    of a batch's images (each drawn with a chance of its own from [0, 1]) are given a hint: their p
    is c·p + (1 − c)·truth. The loss is the negative log-likelihood of these, plus λ times the mean
    of −ln c, the price of hints. After each step λ is divided by 1.01 where that mean is under the
    budget, else by 0.99, so that hints are bought for about the budget. The authors' clamps at
    1e-12 are not needed: all is computed of logarithms.

    In validation there are no hints: its loss is the negative log-likelihood of p.

    Args:
        budget: what the mean of −ln c is kept at, the paper's β.
        weight: λ at the start.
        epochs: a share of the recipe's, rounded up; Bungert et al. (MICCAI 2023) trained it for
            0.75 of what they gave Deep Gamblers.
    """

    title = "DeVries & Taylor"

    budget: float = parameter(0.3, help="what hints cost on average, in nats", above=0, high=10)
    weight: float = parameter(
        0.1, help="of the loss that hints are, at the start", above=0, high=1000
    )
    epochs: float = parameter(1.0, help="share of the epochs that it is trained", above=0, high=1)

    def outputs(self, classes: int) -> int:
        """Return K + 1: the last is the logit of the confidence."""
        return classes + 1

    def loss(self, outputs: Tensor, labels: Tensor, reduction: Reduction = "mean") -> Tensor:
        """Return the negative log-likelihood without hints."""
        return CROSS_ENTROPY.loss(outputs[:, :-1], labels, reduction)

    def first_epochs(self, epochs: int) -> int:
        """Return the share of the recipe's epochs, rounded up."""
        return epochs_of(self.epochs, epochs)

    def objective(self, plan: Plan) -> Objective:
        """Return the loss with hints, for one network."""
        return Hints(self, plan)

    def confidence(self, outputs: Tensor) -> Tensor:
        """Return c."""
        return outputs[:, -1].double().sigmoid()


class Hints(Objective):
    """The loss with hints, whose weight follows the budget.

    Args:
        method: whose.
        plan: says the seed of the hints.

    Attributes:
        weight: λ, one number, float32.
    """

    def __init__(self, method: DeVries, plan: Plan) -> None:
        import torch

        super().__init__(method)
        self.budget = method.budget
        self.weight = torch.tensor(method.weight)
        self._generator = plan.generator()

    def training(self, outputs: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        """Return the loss of a batch, and let λ follow. No number leaves the device for it."""
        import torch

        chances, drawn = torch.rand(2, len(labels), generator=self._generator)
        hinted = (drawn < chances).to(outputs.device, non_blocking=outputs.is_cuda)
        right = -self.procedure.loss(outputs, labels, "none")  # ln p of the true class
        sure, unsure = _log_sigmoid(outputs[:, -1]), _log_sigmoid(-outputs[:, -1])
        told = torch.where(hinted, torch.logaddexp(sure + right, unsure), right)
        price = -sure.mean()
        weight = self.weight.to(outputs.device)
        cheap = price.detach() < self.budget
        self.weight = torch.where(cheap, weight / DOWN, weight / UP)
        return -told.mean() + weight * price


def _log_sigmoid(logits: Tensor) -> Tensor:
    from torch.nn import functional

    return functional.logsigmoid(logits)
