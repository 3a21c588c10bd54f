"""How large a network is: parameters, operations, convolutional layers."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

SHORTCUTS = ("downsample", "shortcut")  # how timm and the networks built here call them


def parameters(backbone: nn.Module) -> int:
    """Return the number of parameters; what batch normalisation keeps count of is none."""
    return sum(parameter.numel() for parameter in backbone.parameters())


def conv_layers(backbone: nn.Module) -> int:
    """Return the number of convolutional layers, counted as papers do.

    The projections beside a residual block are not counted: ResNet50 has 49, and with its
    classifier the 50 of its name (He et al. 2016, Table 1).
    """
    from torch import nn

    def is_shortcut(name: str, layer: nn.Conv2d) -> bool:
        return layer.kernel_size == (1, 1) and not set(name.split(".")).isdisjoint(SHORTCUTS)

    return sum(
        isinstance(module, nn.Conv2d) and not is_shortcut(name, module)
        for name, module in backbone.named_modules()
    )


def flops(backbone: nn.Module, side: int) -> int:
    """Return the floating-point operations that the features of one image take.

    A multiplication and an addition are two; those of convolutions, matrix products and attention
    are counted, as `torch.utils.flop_counter` does. Nothing is computed, and the backbone stays
    as it is.

    Args:
        backbone: maps N×3×H×W floats to N×C features.
        side: H and W in px.
    """
    import torch
    from torch.utils.flop_counter import FlopCounterMode

    shape_only = copy.deepcopy(backbone).to("meta").eval()
    image = torch.empty(1, 3, side, side, device="meta")
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        shape_only(image)
    return int(counter.get_total_flops())
