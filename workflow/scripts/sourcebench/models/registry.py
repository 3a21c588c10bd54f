"""The registry of architectures."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from sourcebench.registry import Registry

if TYPE_CHECKING:
    from torch import nn

ARCHITECTURES: Registry[Callable[[], nn.Module]] = Registry("architecture")


def build_backbone(arch: str) -> nn.Module:
    """Return a freshly initialised backbone.

    A backbone maps N×3×H×W normalised floats to N×C pooled features, and says C in
    `num_features`. Its initial weights follow from PyTorch's global seed (`torch.manual_seed`).

    Args:
        arch: a name in `ARCHITECTURES`.

    Raises:
        SourceBenchError: there is no such architecture.
    """
    return ARCHITECTURES.get(arch)()
