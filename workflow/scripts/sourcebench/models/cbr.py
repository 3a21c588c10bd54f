"""The CBR family: plain stacks of convolution, batch normalisation, ReLU (Raghu et al. 2019)."""

from collections.abc import Sequence
from itertools import pairwise

from torch import Tensor, nn

POOLED = 4
"""Blocks that are followed by max pooling: the first four, also in the network that has five."""


class CBRNetwork(nn.Module):
    """Blocks of convolution, batch normalisation and ReLU, then global average pooling.

    Transfusion (Raghu et al., NeurIPS 2019), Appendix A: convolutions of stride 1, max pooling of
    3×3 with stride 2 between the blocks. The appendix says nothing of the edges: here both keep
    what a stride of 1 would, as 'same' does in Keras, and the convolutions have no bias, which
    batch normalisation would take away again.

    Args:
        kernel: side of the square filters, an odd number of px.
        widths: channels of each block.
        channels: of the images.

    Attributes:
        blocks: the blocks, with their pooling.
        num_features: channels of the pooled features.
    """

    def __init__(self, kernel: int, widths: Sequence[int], channels: int = 3) -> None:
        super().__init__()
        self.num_features = widths[-1]
        self.blocks = nn.Sequential()
        for number, (inputs, outputs) in enumerate(pairwise((channels, *widths))):
            block = nn.Sequential(
                nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False),
                nn.BatchNorm2d(outputs),
                nn.ReLU(inplace=True),
            )
            if number < POOLED:
                block.append(nn.MaxPool2d(3, stride=2, padding=1))
            self.blocks.append(block)

    def forward(self, images: Tensor) -> Tensor:
        """Map N×channels×H×W normalised floats to N×num_features pooled features."""
        features: Tensor = self.blocks(images)
        return features.mean(dim=(2, 3))
