"""Small architectures of our own, for the demo and the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sourcebench.models.registry import ARCHITECTURES

if TYPE_CHECKING:
    from torch import nn


@ARCHITECTURES.register("tiny_resnet")
def tiny_resnet() -> nn.Module:
    """Return a residual network for images of about 100 px on a CPU.

    A 7×7 stem of stride 4, as coarse as that of a ResNet, and two residual blocks of stride 2 with
    64 and 128 channels: 0.29 M parameters, 128 features.
    """
    from sourcebench.models.residual import ResidualNetwork

    return ResidualNetwork(widths=(32, 64, 128))
