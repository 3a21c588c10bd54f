"""Weight transfusion: a pretrained bottom, a random top."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sourcebench.models.stages import stages
from sourcebench.parameters import parameter
from sourcebench.training.transfer.base import TRANSFERS, Transfer

if TYPE_CHECKING:
    from torch import nn

    from sourcebench.models.classifier import Classifier


@TRANSFERS.register("hybrid")
@dataclass(frozen=True)
class Hybrid(Transfer):
    """The bottom starts from the source, the top at random; all is trained.

    Weight transfusion (Raghu et al., NeurIPS 2019, section 5).

    Args:
        keep: share of the stages (see `stages`) that keep the source's weights, from the bottom;
            rounded down to whole stages, but one at least.
    """

    title = "Hybrid transfer"

    keep: float = parameter(0.5, help="share of the stages that keep the weights", low=0, high=1)

    def kept(self, backbone: nn.Module) -> int:
        """Return the number of stages that keep the source's weights."""
        return max(1, int(self.keep * len(stages(backbone)) + 1e-9))

    def prepare(self, network: Classifier, fresh: Callable[[], nn.Module]) -> None:
        """Put random weights, and fresh statistics of batch normalisation, into the top."""
        import torch

        ordered, kept = stages(network.backbone), self.kept(network.backbone)
        bottom = {name for stage in ordered[:kept] for name in stage}
        # A normalisation's statistics go with its parameters.
        owners = {name.rpartition(".")[0] for stage in ordered[kept:] for name in stage}
        random, tensors = fresh().state_dict(), network.backbone.state_dict()
        with torch.no_grad():
            for name in tensors.keys() - bottom:
                if name.rpartition(".")[0] in owners:
                    tensors[name].copy_(random[name])
