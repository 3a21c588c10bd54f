"""Training with an output on which a network may bet that it does not know."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sourcebench.parameters import parameter
from sourcebench.training.methods.base import METHODS, Method, Reduction
from sourcebench.training.methods.cross_entropy import CROSS_ENTROPY
from sourcebench.training.methods.procedure import NEARLY, Objective, Plan, Procedure

if TYPE_CHECKING:
    from torch import Tensor


@METHODS.register("deep_gamblers")
@dataclass(frozen=True)
class DeepGamblers(Procedure, Method):
    """Deep Gamblers: one more output is a share that is not bet (Liu et al., NeurIPS 2019).

    With q the softmax over all K + 1 outputs, a bet on the true class y is paid `reward` times, and
    what is reserved is kept: the loss is −ln(q_y + q_reserved / reward), the paper's less the
    constant ln(reward). Its confidence is 1 − q_reserved.

    The first epochs are cross-entropy over the K classes: `pretrain` of all that the recipe allows,
    rounded down, so that one epoch of gambling is left at least. None of them can be the best
    epoch, and patience counts from the first epoch of gambling on.

    With a reward above K, betting alike on all classes pays more than reserving, so that a network
    does best to reserve nothing; at K it is all the same.

    Args:
        reward: what a bet on the true class is paid, the paper's o.
        pretrain: share of the epochs before the gambling. The paper trains its hardest data so.
    """

    title = "Deep Gamblers"

    reward: float = parameter(2.0, help="what a right bet is paid, times the bet", above=1)
    pretrain: float = parameter(
        0.75, help="share of the epochs that are cross-entropy, before the rest", low=0, below=1
    )

    def outputs(self, classes: int) -> int:
        """Return K + 1: the last is the reservation."""
        return classes + 1

    def loss(self, outputs: Tensor, labels: Tensor, reduction: Reduction = "mean") -> Tensor:
        """Return the gambler's loss, of the logarithms, so that no share underflows."""
        import torch

        shares = outputs.log_softmax(1)
        won = shares.gather(1, labels[:, None]).squeeze(1)
        losses = -torch.logaddexp(won, shares[:, -1] - math.log(self.reward))
        return losses.mean() if reduction == "mean" else losses

    def objective(self, plan: Plan) -> Objective:
        """Return cross-entropy at first, then the gambler's loss, in validation as in training."""
        return _Gambling(self, plan)

    def confidence(self, outputs: Tensor) -> Tensor:
        """Return the share that is bet, 1 − q_reserved: of the logarithms of both, not 1 less."""
        wide = outputs.double()
        return (wide[:, :-1].logsumexp(1) - wide[:, -1]).sigmoid()

    def remark(self, classes: int) -> str | None:
        """Say so where a network does best to reserve nothing."""
        if self.reward <= classes:
            return None
        return (
            f"has a reward of {self.reward:g} with {classes} classes: a network is paid more for "
            f"betting alike on all of them than for reserving, so that it learns to reserve "
            f"nothing; a reward over 1 and up to {classes} is for that."
        )


class _Gambling(Objective):
    """Cross-entropy of the classes, then the gambler's loss.

    Args:
        method: whose.
        plan: says of how many epochs the first are a share.
    """

    def __init__(self, method: DeepGamblers, plan: Plan) -> None:
        super().__init__(method)
        self.first = math.floor(method.pretrain * plan.epochs + NEARLY) + 1
        self.gambles = self.first == 1

    def epoch_begins(self, epoch: int) -> None:
        """Start to gamble when it is time."""
        self.gambles = epoch >= self.first

    def training(self, outputs: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        """Return the loss of this epoch."""
        return self.validation(outputs, labels)

    def validation(self, outputs: Tensor, labels: Tensor) -> Tensor:
        """Return the loss of this epoch."""
        if self.gambles:
            return self.procedure.loss(outputs, labels)
        return CROSS_ENTROPY.loss(outputs[:, :-1], labels)
