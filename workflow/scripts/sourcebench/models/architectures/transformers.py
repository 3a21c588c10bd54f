"""Networks of timm's, and the families after the convolutional ones: ViT, Swin, ConvNeXt.

A family's weights may belong to another network of it: see `Architecture`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sourcebench.models.registry import ARCHITECTURES, NETWORKS, Architecture

if TYPE_CHECKING:
    from torch import nn


@NETWORKS.register("timm")
def timm_network(name: str, **options: Any) -> nn.Module:
    """Return timm's network `name` without its classifier, pooled in its own way.

    Convolutional networks, Swin and ConvNeXt pool by averaging, a ViT by its class token where its
    pretraining gave it one.

    Args:
        name: a model of timm's, without a tag.
        options: what `timm.create_model` takes beside it.
    """
    import timm  # here, since it takes a second

    model: nn.Module = timm.create_model(name, pretrained=False, num_classes=0, **options)
    return model


def _register(arch: str, title: str, name: str) -> None:
    ARCHITECTURES.register(arch)(Architecture(title, {"builder": "timm", "name": name}))


_register("vit_small", "ViT-S", "vit_small_patch16_224")
_register("vit_base", "ViT-B", "vit_base_patch16_224")
_register("swin_tiny", "Swin-T", "swin_tiny_patch4_window7_224")
_register("convnext_tiny", "ConvNeXt-T", "convnext_tiny")
_register("vit_tiny", "ViT-Ti", "vit_tiny_patch16_224")
