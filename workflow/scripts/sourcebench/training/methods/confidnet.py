"""A network that is trained as ever, and another beside it that learns where it fails."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sourcebench.errors import SourceBenchError
from sourcebench.parameters import parameter
from sourcebench.training.methods.base import METHODS, Method, Reduction
from sourcebench.training.methods.cross_entropy import CROSS_ENTROPY
from sourcebench.training.methods.procedure import Procedure, Stage, epochs_of

if TYPE_CHECKING:
    from torch import Tensor

    from sourcebench.models.classifier import Classifier
    from sourcebench.training.companion import Companion


@METHODS.register("confidnet")
@dataclass(frozen=True)
class ConfidNet(Procedure, Method):
    """ConfidNet: a second network predicts the softmax of the true class (Corbière et al. 2019).

    First a network is trained by cross-entropy: where a study has that method too, it is that very
    network. It answers, and stays as it is. Then five linear layers on its features learn by the
    mean squared error what its softmax has for the true class (the TCP; NeurIPS 2019, section 3),
    and last a copy of the backbone goes on with them, dropout off. Batch normalisation's statistics
    stay in both. Of each stage the epoch is kept that `training.choose` says: that with the
    smallest error in validation, or the last.

    Args:
        head: epochs of the layers alone, as a share of the recipe's, rounded up; 0: none.
        encoder: likewise, with the copy of the backbone.
        head_learning_rate: of Adam, for the layers alone.
        encoder_learning_rate: of Adam, for both.

    Raises:
        SourceBenchError: both shares are 0.
    """

    title = "ConfidNet"
    begins_as = CROSS_ENTROPY.kind

    head: float = parameter(
        0.25, help="epochs of the confidence head, over those of the network", low=0, high=10
    )
    encoder: float = parameter(
        0.25, help="epochs of head and encoder together, likewise", low=0, high=10
    )
    head_learning_rate: float = parameter(
        1e-4, help="learning rate of the confidence head", above=0, high=1
    )
    encoder_learning_rate: float = parameter(
        1e-6, help="learning rate of head and encoder together", above=0, high=1
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.head + self.encoder:
            raise SourceBenchError(
                "head and encoder are both 0, so that no confidence would be learned; give one of "
                "them a share of the epochs."
            )

    def loss(self, outputs: Tensor, labels: Tensor, reduction: Reduction = "mean") -> Tensor:
        """Return the cross-entropy."""
        return CROSS_ENTROPY.loss(outputs, labels, reduction)

    def companion(self, network: Classifier) -> Companion:
        """Return the confidence network, its layers as PyTorch draws them."""
        from sourcebench.training.confidence_network import ConfidenceNetwork

        return ConfidenceNetwork(network.backbone, copied=self.encoder > 0)

    def stages(self, network: Classifier, companion: Companion | None, epochs: int) -> list[Stage]:
        """Return those of the two stages that have epochs."""
        from sourcebench.training.confidence_network import (
            ConfidenceNetwork,
            EncoderStage,
            HeadStage,
        )

        if not isinstance(companion, ConfidenceNetwork):
            raise TypeError("the stages of ConfidNet train its confidence network")
        parts = network, companion
        both: list[Stage] = [
            HeadStage(*parts, epochs_of(self.head, epochs), self.head_learning_rate),
            EncoderStage(*parts, epochs_of(self.encoder, epochs), self.encoder_learning_rate),
        ]
        return [stage for stage in both if stage.epochs]
