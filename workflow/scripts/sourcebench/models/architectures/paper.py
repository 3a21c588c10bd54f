"""The four architectures of Source Matters (section 2.2), as timm builds them.

Each ends in global average pooling. timm is imported by the builders, since it takes a second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from sourcebench.models.registry import ARCHITECTURES

if TYPE_CHECKING:
    from torch import nn


def _timm(name: str, **options: Any) -> Callable[[], nn.Module]:
    """Return a builder of timm's network `name`, without its classifier."""

    def build() -> nn.Module:
        import timm

        model: nn.Module = timm.create_model(
            name, pretrained=False, num_classes=0, global_pool="avg", **options
        )
        return model

    return build


ARCHITECTURES.register("resnet50")(_timm("resnet50"))
# The auxiliary classifier served the training on ImageNet; Keras' InceptionV3 has none either.
ARCHITECTURES.register("inception_v3")(_timm("inception_v3", aux_logits=False))
ARCHITECTURES.register("inception_resnet_v2")(_timm("inception_resnet_v2"))
ARCHITECTURES.register("densenet121")(_timm("densenet121"))
