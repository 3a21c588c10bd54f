"""Plain training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sourcebench.training.methods.base import METHODS, Method, Reduction

if TYPE_CHECKING:
    from torch import Tensor


@METHODS.register("cross_entropy")
@dataclass(frozen=True)
class CrossEntropy(Method):
    """Cross-entropy of the softmax, every image alike (Source Matters, section 2.2)."""

    title = "Cross-entropy"

    def loss(self, outputs: Tensor, labels: Tensor, reduction: Reduction = "mean") -> Tensor:
        """Return the mean cross-entropy of some images, or that of each."""
        from torch.nn import functional

        return functional.cross_entropy(outputs, labels, reduction=reduction)


CROSS_ENTROPY = CrossEntropy()
