"""Small architectures of our own, for the demo and the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sourcebench.models.registry import ARCHITECTURES, NETWORKS, Architecture

if TYPE_CHECKING:
    from torch import nn


@NETWORKS.register("tiny_resnet")
def tiny_resnet(channels: int = 3) -> nn.Module:
    """Return a residual network for images of about 100 px on a CPU.

    A 7×7 stem of stride 4, as coarse as that of a ResNet, and two residual blocks of stride 2 with
    64 and 128 channels: 0.29 M parameters, 128 features.
    """
    from sourcebench.models.residual import ResidualNetwork

    return ResidualNetwork((32, 64, 128), channels)


ARCHITECTURES.register("tiny_resnet")(Architecture("tiny ResNet", {"builder": "tiny_resnet"}))


def _first_block(backbone: Any) -> nn.Module:
    """Cut a tiny ResNet after its first residual block, to 64 features."""
    backbone.blocks = backbone.blocks[:1]
    backbone.num_features = backbone.blocks[0].second[0].out_channels
    network: nn.Module = backbone
    return network


ARCHITECTURES.register("tiny_resnet_t1")(
    Architecture("tiny Res-T1", parent="tiny_resnet", derive=_first_block)
)
