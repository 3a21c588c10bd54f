"""What a method is: the outputs that it wants of a network, and the loss that it minimises."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal

from sourcebench.kinds import Kind, Kinds

if TYPE_CHECKING:
    from torch import Tensor

Reduction = Literal["mean", "none"]


@dataclass(frozen=True)
class Method(Kind):
    """A way to train.

    Attributes:
        title: its name for people.
    """

    noun = "Method"
    title: ClassVar[str]

    def outputs(self, classes: int) -> int:
        """Return how many outputs a network needs, of which the first are the classes' logits."""
        return classes

    @abstractmethod
    def loss(self, outputs: Tensor, labels: Tensor, reduction: Reduction = "mean") -> Tensor:
        """Return the loss of some images.

        Args:
            outputs: N×`outputs(K)`, float, of a network that tells K classes apart.
            labels: N, int64, in [0, K).
            reduction: 'mean' for the images' mean, 'none' for the loss of each.

        Returns:
            One number, or N, float.
        """


METHODS: Kinds[Method] = Kinds("method")
