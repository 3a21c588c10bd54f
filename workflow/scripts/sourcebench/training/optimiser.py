"""How weights are moved along their gradients: the optimiser, and its learning rate over time."""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import torch
from torch.optim import Optimizer
from torch.optim.lr_scheduler import CosineAnnealingLR, LRScheduler


class KerasAdam(torch.optim.Adam):
    """Adam whose ε is added before the second moment's bias is corrected, and is Keras' 1e-7.

    Keras takes the formula at the end of section 2 of Kingma & Ba (ICLR 2015), PyTorch that of
    their Algorithm 1, whose ε counts for 1/√(1 − β₂ᵗ) less: 32 times in the first step t, 3.5 times
    in the 85th. Where gradients are as small as ε, PyTorch's steps are longer.

    Args:
        groups: parameters, or groups of them, as PyTorch's optimisers take them.
        learning_rate: of the groups that have none of their own.
        epsilon: Keras' ε.
        weight_decay: see `Descent`.
    """

    def __init__(
        self,
        groups: Iterable[Any],
        learning_rate: float,
        epsilon: float = 1e-7,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(groups, lr=learning_rate, eps=epsilon, weight_decay=weight_decay)
        self._epsilon, self._steps = epsilon, 0

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step, with the ε of PyTorch's formula that is Keras' in theirs."""
        self._steps += 1
        for group in self.param_groups:
            group["eps"] = self._epsilon / math.sqrt(1 - group["betas"][1] ** self._steps)
        return super().step(closure)


def _keras_adam(groups: Iterable[Any], learning_rate: float, weight_decay: float) -> Optimizer:
    return KerasAdam(groups, learning_rate, weight_decay=weight_decay)


def _adam(groups: Iterable[Any], learning_rate: float, weight_decay: float) -> Optimizer:
    return torch.optim.Adam(groups, lr=learning_rate, weight_decay=weight_decay)


def _cosine(optimiser: Optimizer, epochs: int) -> LRScheduler:
    return CosineAnnealingLR(optimiser, T_max=epochs)


OPTIMISERS: dict[str, Callable[[Iterable[Any], float, float], Optimizer]] = {
    "keras_adam": _keras_adam,
    "adam": _adam,
}
"""Name → what makes an optimiser of groups of parameters, a learning rate and a weight decay."""

SCHEDULES: dict[str, Callable[[Optimizer, int], LRScheduler] | None] = {
    "constant": None,
    "cosine": _cosine,
}
"""Name → what makes a schedule of an optimiser, over so many epochs; None where nothing changes."""


@dataclass(frozen=True)
class Descent:
    """The optimiser of a training, and its schedule.

    Args:
        optimiser: 'keras_adam', or 'adam' as PyTorch computes it, with its ε of 1e-8.
        weight_decay: what is added to a gradient, times the weight: the L2 penalty that came before
            the decoupled one (Loshchilov & Hutter, ICLR 2019), of all that is trained, biases and
            batch normalisation too.
        schedule: 'constant', or 'cosine': epoch e of E, counted from 0, has the learning rate times
            (1 + cos(π e / E)) / 2 (Loshchilov & Hutter, ICLR 2017, eq. 5, without restarts).
    """

    optimiser: str = "keras_adam"
    weight_decay: float = 0.0
    schedule: str = "constant"

    def configured(
        self, groups: Iterable[Any], learning_rate: float, epochs: Callable[[], int]
    ) -> Any:
        """Return the optimiser, with its schedule if it has one, as Lightning takes them.

        Args:
            groups: parameters, or groups of them, which may have a learning rate of their own.
            learning_rate: of the others; the schedule lowers all of them alike.
            epochs: says over how many the schedule runs; asked only where there is one.
        """
        optimiser = OPTIMISERS[self.optimiser](groups, learning_rate, self.weight_decay)
        schedule = SCHEDULES[self.schedule]
        if schedule is None:
            return optimiser
        scheduled = {"scheduler": schedule(optimiser, epochs()), "interval": "epoch"}
        return {"optimizer": optimiser, "lr_scheduler": scheduled}


KERAS_ADAM = Descent()
