"""The shallow networks of Transfusion (Raghu et al., NeurIPS 2019, Appendix A), smallest last.

Appendix A gives filters and widths, Table 1 the sizes: 8,532,480 for CBR-LargeT, 8,432,128 for
CBR-LargeW, 2,108,672 for CBR-Small and 1,076,480 for CBR-Tiny. All four figures are exactly the
kernels of the convolutions after the first, and of a classifier of five classes without a bias.
So CBR-Tiny, whose widths the appendix prints as those of CBR-LargeW (64 to 512, which would make
it twice the size of CBR-Small), has those of CBR-Small.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from sourcebench.models.registry import ARCHITECTURES, NETWORKS, Architecture

if TYPE_CHECKING:
    from torch import nn


@NETWORKS.register("cbr")
def cbr(kernel: int, widths: Sequence[int], channels: int = 3) -> nn.Module:
    """Return a CBR network: see `sourcebench.models.cbr.CBRNetwork`."""
    from sourcebench.models.cbr import CBRNetwork

    return CBRNetwork(kernel, widths, channels)


def _register(arch: str, title: str, kernel: int, widths: list[int]) -> None:
    network = {"builder": "cbr", "kernel": kernel, "widths": widths}
    ARCHITECTURES.register(arch)(Architecture(title, network))


_register("cbr_large_t", "CBR-LargeT", 7, [32, 64, 128, 256, 512])
_register("cbr_large_w", "CBR-LargeW", 7, [64, 128, 256, 512])
_register("cbr_small", "CBR-Small", 7, [32, 64, 128, 256])
_register("cbr_tiny", "CBR-Tiny", 5, [32, 64, 128, 256])
