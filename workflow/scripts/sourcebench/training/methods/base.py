"""What a method is: the outputs that it wants of a network, and the loss that it minimises."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

from sourcebench import parameters
from sourcebench.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor

Reduction = Literal["mean", "none"]


@dataclass(frozen=True)
class Method(ABC):
    """A way to train; its parameters are fields declared with `parameters.parameter`.

    Attributes:
        kind: the name it is registered under.
        title: its name for people.

    Raises:
        SourceBenchError: a parameter of the wrong type or out of its range; the message names it,
            what it got and what is allowed.
    """

    kind: ClassVar[str]
    title: ClassVar[str]

    def __post_init__(self) -> None:
        parameters.check(f"Method '{self.kind}'", self)

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


METHODS: Registry[type[Method]] = Registry("method")

M = TypeVar("M", bound=Method)


def register(kind: str) -> Callable[[type[M]], type[M]]:
    """Return a class decorator that enters a method under the name `kind`."""

    def enter(cls: type[M]) -> type[M]:
        cls.kind = kind
        METHODS.register(kind)(cls)
        return cls

    return enter
