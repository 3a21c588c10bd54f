"""The classifier that is fine-tuned: backbone, dropout, linear head."""

import torch
from torch import Tensor, nn

from sourcebench.models.initialisation import keras_


class Classifier(nn.Module):
    """A backbone with dropout and a linear head (Source Matters, section 2.2).

    The head starts as a dense layer of Keras' does, drawn from PyTorch's global seed.

    Args:
        backbone: maps N×C×H×W to N×F features and says F in `num_features`.
        classes: number of logits.
        dropout: probability that a feature is dropped in training, in [0, 1].
    """

    def __init__(self, backbone: nn.Module, classes: int = 2, dropout: float = 0.5) -> None:
        super().__init__()
        features = backbone.num_features
        if not isinstance(features, int):
            raise TypeError(f"the backbone's num_features is {features!r}, not an int")
        self.backbone = backbone
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(features, classes)
        keras_(self.head)

    def forward(self, images: Tensor) -> Tensor:
        """Map N×C×H×W normalised floats to N×classes logits."""
        return self.classify(self.backbone(images))

    def classify(self, features: Tensor) -> Tensor:
        """Map N×F features, as the backbone gives them, to N×classes logits.

        Under autocast the backbone alone has the lower precision: head and logits are float32, as
        bfloat16 keeps 8 bits of a number, and an AUROC is made of the order of logits.
        """
        with torch.autocast(features.device.type, enabled=False):
            logits: Tensor = self.head(self.dropout(features.float()))
        return logits
