"""A linear probe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sourcebench.parameters import parameter
from sourcebench.training.transfer.base import TRANSFERS, Groups, Transfer

if TYPE_CHECKING:
    from torch import nn

    from sourcebench.models.classifier import Classifier


@TRANSFERS.register("frozen")
@dataclass(frozen=True)
class Frozen(Transfer):
    """A linear probe: the backbone stays as the source made it, only the head is trained.

    Batch normalisation keeps the source's statistics. No gradient reaches the backbone, so that a
    step costs about a forward pass. The head has a learning rate of its own: Adam moves a weight by
    about that much a step, and at the 1e-5 that suits a whole network some thousand steps would not
    take a head away from where it was drawn. The default is Adam's own (Kingma & Ba 2015).

    Args:
        learning_rate: of the head, whatever the recipe's is.
    """

    title = "Linear probe"

    learning_rate: float = parameter(1e-3, help="learning rate of the head", low=1e-8, high=1)

    def prepare(self, network: Classifier, fresh: Callable[[], nn.Module]) -> None:
        """Take the backbone out of the training."""
        network.backbone.requires_grad_(False)

    def settle(self, network: Classifier) -> None:
        """Keep the backbone in evaluation mode."""
        network.backbone.eval()

    def groups(self, network: Classifier, learning_rate: float) -> Groups:
        """Return the head alone, with its own learning rate."""
        return [{"params": list(network.head.parameters()), "lr": self.learning_rate}]
