"""What a transfer is: which weights a network starts with, which are trained, and how fast."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from sourcebench.kinds import Kind, Kinds

if TYPE_CHECKING:
    from torch import nn

    from sourcebench.models.classifier import Classifier

Groups = list[dict[str, Any]]


@dataclass(frozen=True)
class Transfer(Kind):
    """A way to transfer.

    Attributes:
        title: its name for people.
    """

    noun = "Transfer"
    title: ClassVar[str]

    def describe(self) -> str:
        """Return its name and its parameters: 'Hybrid transfer (keep 0.5)'."""
        values = super().describe()
        return f"{self.title} ({values})" if values else self.title

    def prepare(self, network: Classifier, fresh: Callable[[], nn.Module]) -> None:
        """Alter a network with a source's weights to what training starts from.

        Args:
            network: the classifier; it is altered in place.
            fresh: returns a backbone of the same structure with random weights.
        """

    def settle(self, network: Classifier) -> None:
        """Put into evaluation mode what stays in it while the rest is trained."""

    def groups(self, network: Classifier, learning_rate: float) -> Groups:
        """Return what is trained, as an optimiser takes it.

        Args:
            network: the classifier.
            learning_rate: the recipe's.

        Returns:
            Dicts with `params` (parameters) and `lr` (the learning rate of these).
        """
        return [{"params": list(network.parameters()), "lr": learning_rate}]


TRANSFERS: Kinds[Transfer] = Kinds("kind of transfer")
