"""Adam as Keras computes it."""

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch


class KerasAdam(torch.optim.Adam):
    """Adam whose ε is added before the second moment's bias is corrected, and is Keras' 1e-7.

    Keras takes the formula at the end of section 2 of Kingma & Ba (ICLR 2015), PyTorch that of
    their Algorithm 1, whose ε counts for 1/√(1 − β₂ᵗ) less: 32 times in the first step t, 3.5 times
    in the 85th. Where gradients are as small as ε, PyTorch's steps are longer.

    Args:
        groups: parameters, or groups of them, as PyTorch's optimisers take them.
        learning_rate: of the groups that have none of their own.
        epsilon: Keras' ε.
    """

    def __init__(self, groups: Iterable[Any], learning_rate: float, epsilon: float = 1e-7) -> None:
        super().__init__(groups, lr=learning_rate, eps=epsilon)
        self._epsilon, self._steps = epsilon, 0

    def step(self, closure: Callable[[], Any] | None = None) -> Any:
        """Take a step, with the ε of PyTorch's formula that is Keras' in theirs."""
        self._steps += 1
        for group in self.param_groups:
            group["eps"] = self._epsilon / math.sqrt(1 - group["betas"][1] ** self._steps)
        return super().step(closure)
