"""Networks without their top, from the weights of the whole (Peng et al. 2022, section 2.2).

*Rethink Transfer Learning in Medical Image Classification* keeps the first 25, 37, 43, 46 or 49
convolutional layers of ResNet50 (Res-T1 to Res-T5), and the first one, two or three dense blocks
of DenseNet121 (Dens-T1 to Dens-T3), and pools what comes out. What is cut off is gone: fewer
parameters, less work. Everything else keeps its name, so that whatever is said of the parent's
stages holds here as well.

In ResNet50 a bottleneck has three convolutional layers, beside the one in a shortcut, which is
not counted: the five cuts fall between bottlenecks, after the 8th, 12th, 14th, 15th and 16th. The
16th is the last: Res-T5 is ResNet50 without its classifier, as any backbone here is.

In DenseNet121 the transition after a dense block stays. It is what normalises a dense block's
output and rectifies it, so that nothing reaches the classifier raw; and with it the layers are 14
and 39 of 121, the paper's 12 % and 32 %, which without it would be 11 % and 31 %. Dens-T3 has 88
layers; that is 73 %, and the paper's "88 %" appears to be their number.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from sourcebench.models.registry import ARCHITECTURES, Architecture

if TYPE_CHECKING:
    from torch import nn

RESNET50_LAYERS = (25, 37, 43, 46, 49)


def _first_layers(layers: int, resnet: Any) -> nn.Module:
    """Cut a ResNet of bottlenecks after a number of convolutional layers, the stem's included."""
    bottlenecks, kept = (layers - 1) // 3, 0
    for name in ("layer1", "layer2", "layer3", "layer4"):
        stage = getattr(resnet, name)[: bottlenecks - kept]
        setattr(resnet, name, stage)  # an empty stage hands on what it gets
        if len(stage):
            resnet.num_features = stage[-1].conv3.out_channels
        kept += len(stage)
    network: nn.Module = resnet
    return network


def _first_dense_blocks(blocks: int, densenet: Any) -> nn.Module:
    """Cut a DenseNet after the transition that follows a dense block."""
    names = list(densenet.features._modules)
    densenet.features = densenet.features[: names.index(f"transition{blocks}") + 1]
    densenet.num_features = densenet.features[-1].conv.out_channels
    network: nn.Module = densenet
    return network


for _level, _layers in enumerate(RESNET50_LAYERS, start=1):
    ARCHITECTURES.register(f"resnet50_t{_level}")(
        Architecture(f"Res-T{_level}", parent="resnet50", derive=partial(_first_layers, _layers))
    )
for _blocks in (1, 2, 3):
    ARCHITECTURES.register(f"densenet121_t{_blocks}")(
        Architecture(
            f"Dens-T{_blocks}", parent="densenet121", derive=partial(_first_dense_blocks, _blocks)
        )
    )
