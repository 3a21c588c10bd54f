"""How fast batch normalisation's statistics follow the training batches."""

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm


def set_momentum(network: nn.Module, momentum: float) -> None:
    """Set the momentum of every batch normalisation in a network.

    Args:
        network: it is altered in place.
        momentum: the share that a batch has in the running mean and variance, in [0, 1], as in
            PyTorch; Keras says 1 minus that.
    """
    for module in network.modules():
        if isinstance(module, _BatchNorm):
            module.momentum = momentum
