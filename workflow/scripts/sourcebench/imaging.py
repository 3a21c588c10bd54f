"""Grey images."""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


def resize(image: Image, size: int, method: str = "nearest") -> Image:
    """Resize an image to `size`×`size`.

    Args:
        image: H×W, uint8.
        size: side of the result in pixels.
        method: 'nearest' picks the pixel under each new pixel's centre, as PIL does (and with it
            Keras' `load_img`, the reference's way); 'antialiased' averages areas. Averaging erases
            part of what the denoising and noise confounders change.
    """
    if image.shape == (size, size):
        return image
    if method == "antialiased":
        shrinks = size < min(image.shape)
        how = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(image, (size, size), interpolation=how), np.uint8)
    height, width = image.shape
    rows = ((np.arange(size) + 0.5) * height / size).astype(np.intp)
    columns = ((np.arange(size) + 0.5) * width / size).astype(np.intp)
    picked: Image = image[rows[:, None], columns]
    return picked


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
