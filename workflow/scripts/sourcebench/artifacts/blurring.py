"""Point spread functions: what an image shows of a point, and images that are spread by them."""

import math
from functools import lru_cache

import cv2
import numpy as np
import numpy.typing as npt

from sourcebench.artifacts.base import rounded
from sourcebench.imaging import Image

Kernel = npt.NDArray[np.float32]
"""A square of odd side, whose weights sum to 1; the point is in the middle."""

FINENESS = 9
"""Points per px and axis by which shapes are drawn: odd, so that one is in a pixel's middle."""


def spread(image: Image, kernel: Kernel) -> Image:
    """Return an image in which every point is spread, and what is beyond its edge is its mirror.

    Args:
        image: H×W or H×W×C, uint8.
        kernel: a symmetric one, on which correlation and convolution are one.

    Returns:
        The same shape, uint8.
    """
    spread_ = cv2.filter2D(image.astype(np.float32), cv2.CV_32F, kernel)
    return rounded(spread_).reshape(image.shape)  # OpenCV drops an only channel


@lru_cache(maxsize=8)
def disc(radius: float) -> Kernel:
    """Return a disc: a point out of focus, as a round aperture shows it.

    Args:
        radius: px. Pixels that it covers in part have a part of the weight.
    """
    half = math.ceil(radius)
    points = np.arange(-half - 0.5, half + 0.5, 1 / FINENESS) + 0.5 / FINENESS
    # The middle is 0 but for rounding, which would leave nothing of a disc of radius 0.
    inside = points[:, None] ** 2 + points**2 <= radius**2 + 1e-9
    side = 2 * half + 1
    covered = inside.reshape(side, FINENESS, side, FINENESS).sum((1, 3))
    return np.asarray(covered / covered.sum(), np.float32)


def line(length: float, angle: float) -> Kernel:
    """Return a line about the middle: a point that moves at a steady speed.

    Args:
        length: px.
        angle: of the line, degrees from the horizontal, anticlockwise.
    """
    count = FINENESS * math.ceil(length) + 1
    along = (np.arange(count) - (count - 1) / 2) * (length / max(count - 1, 1))
    turn = math.radians(angle)
    half = math.ceil(length / 2)
    kernel = np.zeros((2 * half + 1, 2 * half + 1))
    rows, columns = half - along * math.sin(turn), half + along * math.cos(turn)
    top, left = np.floor(rows).astype(np.intp), np.floor(columns).astype(np.intp)
    below, right = rows - top, columns - left
    for down, part in ((0, 1 - below), (1, below)):
        for aside, share in ((0, 1 - right), (1, right)):
            # A point on the last row or column has no weight beyond it.
            at = np.minimum(top + down, 2 * half), np.minimum(left + aside, 2 * half)
            np.add.at(kernel, at, part * share)
    return np.asarray(kernel / count, np.float32)
