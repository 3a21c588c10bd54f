"""How images become what weights were trained on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sourcebench.models import stems

if TYPE_CHECKING:
    from torch import Tensor

Values = tuple[float, ...]
Triple = tuple[float, float, float]
Given = float | Sequence[float]
RANGE = (0.0, 1.0)


def triple(values: Given) -> Triple:
    """Return three floats, from a list as configs and cards hold it, or from one number."""
    red, green, blue = (
        [float(values)] * 3 if isinstance(values, int | float) else map(float, values)
    )
    return red, green, blue


@dataclass(frozen=True)
class Normalisation:
    """How images become what the weights were trained on; it belongs to the weights.

    Args:
        mean: per input of the network, of images scaled to [0, 1].
        std: per input of the network, of images scaled to [0, 1].
    """

    mean: Values = (0.5, 0.5, 0.5)
    std: Values = (0.25, 0.25, 0.25)

    @classmethod
    def of(
        cls, mean: Given, std: Given, span: Sequence[float] = RANGE, channels: str = "RGB"
    ) -> Normalisation:
        """Return the normalisation that somebody describes in a network's own terms.

        Args:
            mean: a number, or three in the order of `channels`.
            std: likewise.
            span: the lowest and the highest value of the images that these are of.
            channels: 'BGR' turns the order.
        """
        low, high = span
        means = [(value - low) / (high - low) for value in triple(mean)]
        deviations = [value / (high - low) for value in triple(std)]
        step = -1 if channels == "BGR" else 1
        return cls(triple(means[::step]), triple(deviations[::step]))

    def over(self, channels: int) -> Normalisation:
        """Return the normalisation of a network whose filters `stems.widen` spread.

        A channel that takes filters of several colours has their mean of means and of SDs.

        Args:
            channels: the network's inputs; with three nothing changes.
        """
        if channels == stems.COLOURS:
            return self

        def spread(values: Values) -> Values:
            return tuple(
                sum(share * value for share, value in zip(taken, values, strict=True)) / sum(taken)
                for taken in stems.shares(channels)
            )

        return Normalisation(spread(self.mean), spread(self.std))

    def __call__(self, images: Tensor) -> Tensor:
        """Return images as a network takes them.

        Args:
            images: N×H×W×C, uint8 or float, values in [0, 255]; C is 1, for grey images that are
                replicated, or the number of means.

        Returns:
            N×inputs×H×W float32 in channels_last: (image / 255 − mean) / std, in each channel.
        """
        import torch

        # Sent without waiting, so that a batch does not stop a card; but to Apple's, where that
        # reads memory that is free again by then (pytorch issue 189690).
        slope = torch.tensor([1 / (255 * std) for std in self.std])
        offset = torch.tensor([-mean / std for mean, std in zip(self.mean, self.std, strict=True)])
        slope = slope.to(images.device, non_blocking=images.is_cuda)
        offset = offset.to(images.device, non_blocking=images.is_cuda)
        normalised = torch.addcmul(offset, images.to(torch.float32), slope).permute(0, 3, 1, 2)
        # What was warped comes channel by channel, unless it is grey.
        return normalised.contiguous(memory_format=torch.channels_last)


USUAL = Normalisation()
"""That of weights which were trained here, or start at random."""
