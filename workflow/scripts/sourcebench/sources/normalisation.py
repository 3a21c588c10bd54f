"""How grey images become what weights were trained on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor

Triple = tuple[float, float, float]
RANGE = (0.0, 1.0)


def triple(values: Any) -> Triple:
    """Return three floats, from a list as configs and cards hold it, or from one number."""
    red, green, blue = (
        [float(values)] * 3 if isinstance(values, int | float) else map(float, values)
    )
    return red, green, blue


@dataclass(frozen=True)
class Normalisation:
    """How images become what the weights were trained on; it belongs to the weights.

    Args:
        mean: per channel, of images scaled to [0, 1].
        std: per channel, of images scaled to [0, 1].
    """

    mean: Triple = (0.5, 0.5, 0.5)
    std: Triple = (0.25, 0.25, 0.25)

    @classmethod
    def of(cls, entry: Mapping[str, Any]) -> Normalisation:
        """Return the normalisation that an entry describes in its network's own terms.

        Args:
            entry: `mean` and `std` (a number, or three in the order of `channels`), for images
                whose values span `range` (default: [0, 1]); `channels` 'BGR' turns the order.
        """
        low, high = entry.get("range", RANGE)
        mean = [(value - low) / (high - low) for value in triple(entry["mean"])]
        std = [value / (high - low) for value in triple(entry["std"])]
        step = -1 if entry.get("channels") == "BGR" else 1
        return cls(triple(mean[::step]), triple(std[::step]))

    def __call__(self, images: Tensor) -> Tensor:
        """Return grey images as a network takes them.

        Args:
            images: N×H×W, uint8 or float, values in [0, 255].

        Returns:
            N×3×H×W float32 in channels_last: (image / 255 − mean) / std, in each channel.
        """
        import torch

        # Sent without waiting, so that a batch does not stop a card; but to Apple's, where that
        # reads memory that is free again by then (pytorch issue 189690).
        slope = torch.tensor([1 / (255 * std) for std in self.std])
        offset = torch.tensor([-mean / std for mean, std in zip(self.mean, self.std, strict=True)])
        slope = slope.to(images.device, non_blocking=images.is_cuda)
        offset = offset.to(images.device, non_blocking=images.is_cuda)
        grey = images.to(torch.float32)[..., None]
        return torch.addcmul(offset, grey, slope).permute(0, 3, 1, 2)


USUAL = Normalisation()
"""That of weights which were trained here, or start at random."""
