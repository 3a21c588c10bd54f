"""The networks of Understanding Silent Failures (Bungert et al. 2023, section 3).

They drop features while they are trained, so that their answers can be sampled. Its DenseNets do so
in every dense layer: a tenth of what the layer adds. In EfficientNet-B4 it is what goes into the
head (`training.dropout`), as in any network here.

One with dropout is its parent with the rate put in: modules and tensors stay, and so any weights of
the parent's are its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sourcebench.models.registry import ARCHITECTURES, Architecture

if TYPE_CHECKING:
    from torch import nn

RATE = 0.1


def _dropping(densenet: Any) -> nn.Module:
    """Let every dense layer of a DenseNet of timm's drop some of what it adds."""
    for module in densenet.modules():
        if hasattr(module, "drop_rate"):
            module.drop_rate = RATE
    network: nn.Module = densenet
    return network


for _name, _title in (("densenet161", "DenseNet161"), ("efficientnet_b4", "EfficientNet-B4")):
    ARCHITECTURES.register(_name)(Architecture(_title, {"builder": "timm", "name": _name}))

for _parent, _title in (("densenet121", "DenseNet121"), ("densenet161", "DenseNet161")):
    ARCHITECTURES.register(f"{_parent}_dropout")(
        Architecture(f"{_title} with dropout", parent=_parent, derive=_dropping)
    )
