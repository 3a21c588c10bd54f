"""Networks of timm's, and the families after the convolutional ones: ViT, Swin, ConvNeXt.

A family's weights may belong to another network of it: see `Architecture`. Source Matters trained
none of them, so that fresh ones start as timm starts them, which is how their publications did
(Dosovitskiy et al. 2021; Liu et al. 2021; Liu et al. 2022). Each of ConvNeXt's blocks starts scaled
by 1e-6, in Keras too: at a learning rate of 1e-5 and some thousand steps they stay nearly shut.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sourcebench.errors import SourceBenchError
from sourcebench.models.registry import ARCHITECTURES, NETWORKS, Architecture
from sourcebench.models.stems import COLOURS

if TYPE_CHECKING:
    from torch import nn


@NETWORKS.register("timm")
def timm_network(name: str, channels: int = 3, **options: Any) -> nn.Module:
    """Return timm's network `name` without its classifier, pooled in its own way.

    Convolutional networks, Swin and ConvNeXt pool by averaging, a ViT by its class token where its
    pretraining gave it one. Stochastic depth, which timm gives Swin unasked, is off unless the
    options say `drop_path_rate`: what regularises is the recipe's.

    Args:
        name: a model of timm's, without a tag.
        channels: of the images.
        options: what `timm.create_model` takes beside it.

    Raises:
        SourceBenchError: the options say `in_chans`, and other than three: weights of three
            channels are what other numbers are made from (see `stems`).
    """
    if (stored := options.pop("in_chans", COLOURS)) != COLOURS:
        raise SourceBenchError(
            f"The network '{name}' is said to take images of {stored} channels (in_chans); only "
            "networks of three can be taken."
        )
    import timm  # here, since it takes a second
    from timm.layers.drop import DropPath

    model: nn.Module = timm.create_model(
        name, pretrained=False, num_classes=0, in_chans=channels, **options
    )
    for module in model.modules():
        if isinstance(module, DropPath) and "drop_path_rate" not in options:
            module.drop_prob = 0.0
    return model


def _register(arch: str, title: str, name: str) -> None:
    network = {"builder": "timm", "name": name}
    ARCHITECTURES.register(arch)(Architecture(title, network, initialisation="own"))


_register("vit_small", "ViT-S", "vit_small_patch16_224")
_register("vit_base", "ViT-B", "vit_base_patch16_224")
_register("swin_tiny", "Swin-T", "swin_tiny_patch4_window7_224")
_register("convnext_tiny", "ConvNeXt-T", "convnext_tiny")
_register("vit_tiny", "ViT-Ti", "vit_tiny_patch16_224")
