"""A convolution after an average pooling that leaves padding out."""

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional


class PooledBranch(nn.Module):
    """An Inception block's pooling branch whose averages leave padding out, as Keras' do.

    timm's InceptionV3 pools by 3×3 averages that count the padding's zeros, and hands the result
    to the branch's convolution. This takes the convolution's place: it scales each average by
    nine over the number of its pixels inside the image, then does what the convolution did.

    Args:
        branch: timm's `ConvNormAct`, whose convolution and normalisation (with the activation)
            are taken over, under their names.
    """

    def __init__(self, branch: Any) -> None:
        super().__init__()
        self.conv: nn.Conv2d = branch.conv
        self.bn: nn.BatchNorm2d = branch.bn

    def forward(self, averages: Tensor) -> Tensor:
        """Map N×C×H×W averages over 3×3 pixels, padding included, to N×C'×H×W."""
        ones = torch.ones_like(averages[:1, :1])
        # 9, at an edge 6, in a corner 4: 9 over them is exact in bfloat16 as well.
        inside = functional.avg_pool2d(ones, 3, stride=1, padding=1, divisor_override=1)
        features: Tensor = self.bn(self.conv(averages * (9 / inside)))
        return features
