"""Stems: networks for images of other than three channels, and weights of three spread over them.

Grey images are replicated: a network for them takes three channels. Images of C channels, C other
than 1 and 3, have a network of C inputs. Weights that were trained on three colours are spread over
these as over neighbouring bands of a spectrum: the colours divide it into three equal parts, the
channels into C, and a channel takes of each colour's filter the share of the colour's part that
lies in its own. So 6 channels are R/2, R/2, G/2, G/2, B/2, B/2, and 2 are R + G/2, G/2 + B. Each
colour is given away once: a filter's sum over its input channels stays, and with it what the
network makes of an image whose channels are all the same.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sourcebench.errors import SourceBenchError

if TYPE_CHECKING:
    from torch import nn

COLOURS = 3
"""What networks are pretrained on, and the inputs of a network that nothing else is said of."""


def inputs(channels: int) -> int:
    """Return how many input channels a network has for images of so many: three for grey ones."""
    return COLOURS if channels == 1 else channels


def shares(channels: int) -> list[list[float]]:
    """Return which share of each colour's filter each channel takes.

    Args:
        channels: C, from 1 on.

    Returns:
        C × 3, in [0, 1]; the shares of a colour sum to 1, those of a channel to 3/C.
    """
    width = COLOURS  # of a channel, in units of which a colour is C wide: overlaps are whole

    def overlap(channel: int, colour: int) -> int:
        end = min((channel + 1) * width, (colour + 1) * channels)
        return max(0, end - max(channel * width, colour * channels))

    return [
        [overlap(channel, colour) / channels for colour in range(COLOURS)]
        for channel in range(channels)
    ]


def first_convolution(backbone: nn.Module) -> tuple[str, nn.Conv2d] | None:
    """Return a network's first convolution, and its name in it; None if there is none."""
    from torch import nn

    layers = backbone.named_modules()
    return next(((name, layer) for name, layer in layers if isinstance(layer, nn.Conv2d)), None)


def widen(backbone: nn.Module, channels: int) -> None:
    """Spread a network's filters for three colours over other channels, see the module's head.

    Args:
        backbone: maps N×3×H×W; it is altered in place, to map N×C×H×W. Its first convolution is
            taken for the one that sees the image.
        channels: C, the network's inputs; with three nothing changes.

    Raises:
        SourceBenchError: the first convolution does not take three channels.
    """
    import torch
    from torch import nn

    if channels == COLOURS:
        return
    found = first_convolution(backbone)
    if found is None or found[1].weight.shape[1] != COLOURS:
        raise SourceBenchError(
            f"Images of {channels} channels need weights of a network whose first convolution "
            "takes three, over which its filters are spread; this one's does not."
        )
    _, stem = found
    with torch.no_grad():
        taken = stem.weight.new_tensor(shares(channels))
        spread = torch.einsum("oihw,ci->ochw", stem.weight, taken)
    stem.weight = nn.Parameter(spread.contiguous())
    stem.in_channels = channels
