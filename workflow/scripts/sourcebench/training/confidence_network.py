"""The confidence network of ConfidNet, and the stages that train it."""

import copy
from collections.abc import Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from sourcebench.models.classifier import Classifier
from sourcebench.training.companion import Companion
from sourcebench.training.methods.procedure import Stage

WIDTH, HIDDEN = 400, 4
"""Of the confidence head: units of a hidden layer, and number of these (Corbière et al. 2019)."""


class ConfidenceNetwork(Companion):
    """Layers that predict the softmax of the true class, on a backbone's features.

    Args:
        backbone: the classifier's.
        copied: whether the features become those of a copy of it. Until `branch` is called they
            are the classifier's own.
    """

    def __init__(self, backbone: nn.Module, *, copied: bool) -> None:
        super().__init__()
        sizes = [int(backbone.num_features), *[WIDTH] * HIDDEN]  # type: ignore[arg-type]
        layers: list[nn.Module] = []
        for before, after in pairwise(sizes):
            layers += [nn.Linear(before, after), nn.ReLU()]
        self.head = nn.Sequential(*layers, nn.Linear(WIDTH, 1))
        self.encoder: nn.Module | None = None
        if copied:
            encoder = copy.deepcopy(backbone).requires_grad_(True)
            self.encoder = encoder.to(memory_format=torch.channels_last)  # as the classifier is

    def branch(self, backbone: nn.Module) -> None:
        """Take a trained backbone's weights into the copy."""
        if self.encoder is not None:
            self.encoder.load_state_dict(backbone.state_dict())

    def logits(self, features: Tensor) -> Tensor:
        """Map N×F features to N logits of the confidence, in float32 whatever the precision."""
        with torch.autocast(features.device.type, enabled=False):
            found: Tensor = self.head(features.float()).squeeze(1)
        return found

    def confidence(self, images: Tensor, features: Tensor) -> Tensor:
        """Return the predicted softmax of the true class."""
        encoded = features if self.encoder is None else self.encoder(images)
        return self.logits(encoded).double().sigmoid()


class _Confidence(Stage):
    """A stage of the confidence network.

    Args:
        network: the classifier, trained; it is not altered.
        companion: what is trained.
        epochs: how many.
        learning_rate: of Adam.
    """

    def __init__(
        self,
        network: Classifier,
        companion: ConfidenceNetwork,
        epochs: int,
        learning_rate: float,
    ) -> None:
        self.network, self.companion = network, companion
        self.epochs, self.learning_rate = epochs, learning_rate

    def trained(self) -> Iterator[nn.Parameter]:
        """Return the parameters that are trained."""
        return self.companion.parameters()

    def optimiser(self) -> torch.optim.Optimizer:
        """Return Adam as PyTorch computes it."""
        return torch.optim.Adam(self.trained(), self.learning_rate)


class HeadStage(_Confidence):
    """The confidence head alone learns, on features of the classifier with its dropout."""

    def begin(self) -> None:
        """Start from the head as it was drawn."""

    def trained(self) -> Iterator[nn.Parameter]:
        """Return those of the head."""
        return self.companion.head.parameters()

    def settle(self) -> None:
        """Let the classifier's dropout drop, but its batch normalisation learn nothing."""
        self.companion.train()
        self.network.train()
        for module in self.network.modules():
            if isinstance(module, _BatchNorm):
                module.eval()

    def loss(self, images: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        """Return the squared error; features and softmax are of one pass."""
        with torch.no_grad():
            features = self.network.backbone(images)
            truth = true_class(self.network.classify(features), labels)
        return _error(self.companion.logits(features), truth)


class EncoderStage(_Confidence):
    """Head and copied backbone learn together; nothing drops."""

    def begin(self) -> None:
        """Start from the classifier's backbone."""
        self.companion.branch(self.network.backbone)

    def settle(self) -> None:
        """Keep everything in evaluation mode: gradients flow there as well."""
        self.companion.eval()
        self.network.eval()

    def loss(self, images: Tensor, labels: Tensor, groups: Tensor) -> Tensor:
        """Return the squared error; the softmax is the classifier's."""
        with torch.no_grad():
            truth = true_class(self.network(images), labels)
        if self.companion.encoder is None:
            raise TypeError("the confidence network has no encoder to train")
        return _error(self.companion.logits(self.companion.encoder(images)), truth)


def true_class(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the softmax of the true class, the TCP: N, of N×K logits and N labels in [0, K)."""
    return logits.softmax(1).gather(1, labels[:, None]).squeeze(1)


def _error(logits: Tensor, truth: Tensor) -> Tensor:
    return functional.mse_loss(logits.float().sigmoid(), truth)
