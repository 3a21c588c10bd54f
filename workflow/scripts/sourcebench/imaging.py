"""Images: H×W of one channel, or H×W×C of several, uint8.

Arrays of images in files are the same, N×H×W or N×H×W×C; where images of both kinds would meet,
`with_channels` gives them one shape.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

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
