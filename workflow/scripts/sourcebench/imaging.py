"""Images: H×W of one channel, or H×W×C of several, uint8.

Arrays of images in files are the same, N×H×W or N×H×W×C; where images of both kinds would meet,
`with_channels` gives them one shape.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]
Colour = tuple[int, ...]

CHANNELS = 4
"""What OpenCV resizes at once; it takes the last axis away from an image that has one."""


def resize(image: Image, size: int, method: str = "nearest") -> Image:
    """Resize an image to `size`×`size`, all channels alike.

    Args:
        image: H×W or H×W×C, uint8.
        size: side of the result in pixels.
        method: 'nearest' picks the pixel under each new pixel's centre, as PIL does (and with it
            Keras' `load_img`, the reference's way); 'antialiased' averages areas. Averaging erases
            part of what the denoising and noise confounders change.
    """
    height, width = image.shape[:2]
    if (height, width) == (size, size):
        return image
    if method == "antialiased" and image.ndim == 3 and not 1 < image.shape[2] <= CHANNELS:
        each = [resize(grey, size, method) for grey in np.moveaxis(image, -1, 0)]
        return np.stack(each, axis=-1)
    if method == "antialiased":
        if min(height, width) <= size < max(height, width):  # one side shrinks, the other grows
            narrower = (min(width, size), min(height, size))
            image = np.asarray(cv2.resize(image, narrower, interpolation=cv2.INTER_AREA), np.uint8)
        shrinks = size < min(height, width)
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(image, (size, size), interpolation=how), np.uint8)
    rows = ((np.arange(size) + 0.5) * height / size).astype(np.intp)
    columns = ((np.arange(size) + 0.5) * width / size).astype(np.intp)
    picked: Image = image[rows[:, None], columns]
    return picked


def with_channels(images: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """Return images N×H×W or N×H×W×C as N×H×W×C, without copying them."""
    return images[..., None] if images.ndim == 3 else images


def grey_of(image: npt.NDArray[Any]) -> Image | None:
    """Return a decoded 8-bit image as a grey one, None if it has colours.

    Args:
        image: H×W, or H×W×3 or 4 as OpenCV decodes colours; alpha is ignored.
    """
    if image.ndim == 2:
        return np.asarray(image, np.uint8)
    grey = image[..., 0]
    if not all(np.array_equal(grey, image[..., channel]) for channel in (1, 2)):
        return None
    return np.ascontiguousarray(grey, np.uint8)


def channels_of(image: Image) -> int:
    """Return an image's number of channels, 1 if it is grey."""
    return 1 if image.ndim == 2 else int(image.shape[2])


def to_channels(image: Image, channels: int) -> Image | None:
    """Return an image in so many channels, None if there is no way.

    Grey becomes three equal channels, and red, green and blue become grey as a television made it
    (ITU-R BT.601: 0.299, 0.587 and 0.114 of them).

    Args:
        image: H×W or H×W×C, uint8.
        channels: what is wanted; one of them is H×W.
    """
    there = channels_of(image)
    if there == channels:
        return image
    if (there, channels) == (1, 3):
        return np.repeat(image[..., None], 3, axis=2)
    if (there, channels) == (3, 1):
        return np.asarray(cv2.cvtColor(image, cv2.COLOR_RGB2GRAY), np.uint8)
    return None


def _pad(image: Image, border: "Border") -> Image:
    height, width = image.shape[:2]
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    padded = np.empty((side, side, *image.shape[2:]), np.uint8)
    padded[:] = _rim(image) if border == "mean" else np.array(border, np.uint8)
    padded[top : top + height, left : left + width] = image
    return padded


def _crop(image: Image, _: "Border") -> Image:
    height, width = image.shape[:2]
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


def _stretch(image: Image, _: "Border") -> Image:
    return image


def _rim(image: Image) -> npt.NDArray[np.uint8]:
    """Return the mean of an image's outermost pixels, in each channel."""
    inner = np.zeros(image.shape[:2], bool)
    inner[1:-1, 1:-1] = True
    mean: npt.NDArray[np.uint8] = np.round(image[~inner].mean(axis=0)).astype(np.uint8)
    return mean


Border = Literal["mean"] | int | Colour
FITS: Mapping[str, Callable[[Image, Border], Image]] = {
    "pad": _pad, "crop": _crop, "stretch": _stretch,
}  # fmt: skip


@dataclass(frozen=True)
class Frame:
    """How originals of any size become squares of one.

    Args:
        fit: 'pad' adds borders on the shorter sides, so that nothing is lost and nothing distorted;
            'crop' takes the largest square in the centre; 'stretch' pulls the shorter sides.
        side: of the squares, px. Areas are averaged where an image becomes smaller.
        border: what `pad` adds: a grey level, one for each channel, or 'mean', that of the image's
            own outermost pixels.
    """

    fit: str
    side: int
    border: Border = 0

    def __call__(self, image: Image) -> Image:
        """Return an image (H×W or H×W×C, uint8) as a square of `side` px."""
        return resize(FITS[self.fit](image, self.border), self.side, "antialiased")
