"""The stages of a network, from the input to the features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

# How the networks built here, not by timm, name their parts.
OWN_PARTS = {"stem": r"^stem", "blocks": r"^blocks\.(\d+)"}


def stages(backbone: nn.Module) -> list[list[str]]:
    """Return the parameters' names stage by stage, from the input to the features.

    For timm's networks these are the stages that timm groups layers by, coarsely: the stem and the
    four stages of a ResNet, the blocks of an Inception or a ViT. A normalisation after the last
    stage may be one of its own. A truncated network has those of its parent that it keeps.

    Args:
        backbone: a network of timm's, or one whose parts are called `stem` and `blocks`.
    """
    from timm.models import group_parameters

    matcher: Any = getattr(backbone, "group_matcher", None)
    return list(group_parameters(backbone, matcher(coarse=True) if matcher else OWN_PARTS).values())
