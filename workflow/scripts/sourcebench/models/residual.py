"""A plain residual network (He et al. 2016), small enough for one CPU core."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn
from torch.nn import functional


def _convolution(inputs: int, outputs: int, size: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(inputs, outputs, size, stride, padding=size // 2, bias=False),
        nn.BatchNorm2d(outputs),
    )


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions beside a 1×1 one, each with batch normalisation; halves the side.

    Args:
        inputs: channels in.
        outputs: channels out.
    """

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.first = _convolution(inputs, outputs, 3, stride=2)
        self.second = _convolution(outputs, outputs, 3)
        self.shortcut = _convolution(inputs, outputs, 1, stride=2)

    def forward(self, images: Tensor) -> Tensor:
        """Map N×inputs×H×W to N×outputs×⌈H/2⌉×⌈W/2⌉."""
        features = self.second(functional.relu(self.first(images)))
        return functional.relu(features + self.shortcut(images))


class ResidualNetwork(nn.Module):
    """A 7×7 stem of stride 4, one residual block per further width, global average pooling.

    Args:
        widths: channels of the stem and of each block.
        channels: of the images.

    Attributes:
        num_features: channels of the pooled features.
    """

    def __init__(self, widths: Sequence[int], channels: int = 3) -> None:
        super().__init__()
        self.num_features = widths[-1]
        self.stem = _convolution(channels, widths[0], 7, stride=4)
        self.blocks = nn.Sequential(*(ResidualBlock(*pair) for pair in pairwise(widths)))

    def forward(self, images: Tensor) -> Tensor:
        """Map N×channels×H×W normalised floats to N×num_features pooled features."""
        features: Tensor = self.blocks(functional.relu(self.stem(images)))
        return features.mean(dim=(2, 3))
