"""Learning rates that grow with the distance from the input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sourcebench.models.stages import stages
from sourcebench.parameters import parameter
from sourcebench.training.transfer.base import TRANSFERS, Groups, Transfer

if TYPE_CHECKING:
    from sourcebench.models.classifier import Classifier


@TRANSFERS.register("layerwise")
@dataclass(frozen=True)
class Layerwise(Transfer):
    """Everything is fine-tuned, the more slowly the nearer it is to the input.

    The head has the recipe's learning rate, each stage (see `stages`) `decay` times that of what
    follows it (Howard & Ruder, ACL 2018, section 3.2; Clark et al., ICLR 2020, Appendix B).

    Args:
        decay: learning rate of a stage over that of the next.
    """

    title = "Layer-wise learning rates"

    decay: float = parameter(0.75, help="learning rate over that of the next stage", low=0, high=1)

    def groups(self, network: Classifier, learning_rate: float) -> Groups:
        """Return a group for each stage, from the input on, and one for the head."""
        own, ordered = dict(network.backbone.named_parameters()), stages(network.backbone)
        rates = [learning_rate * self.decay ** (len(ordered) - i) for i in range(len(ordered))]
        groups: Groups = [
            {"params": [own[name] for name in names], "lr": rate}
            for names, rate in zip(ordered, rates, strict=True)
        ]
        return [*groups, {"params": list(network.head.parameters()), "lr": learning_rate}]
