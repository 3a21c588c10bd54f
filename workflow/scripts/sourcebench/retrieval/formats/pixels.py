"""From decoded values to images of 8 bits, grey or RGB."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image, grey_of
from sourcebench.retrieval.formats.base import Window

SAMPLED = 61
"""Every how many rows are looked at first, to tell a coloured image from a grey one."""


def to_8_bits(values: NDArray[Any], window: Window) -> Image:
    """Turn the values of a window into grey levels, to the nearest, halves up.

    Args:
        values: any shape, integers or floats; what is not a number counts as `low`.
        window: (low, high), low ≤ high.

    Returns:
        The same shape, uint8: floor(255·(v − low)/(high − low) + ½), v clipped to the window, in
        float64; if low = high, 255 for what is above it and 0 for the rest.
    """
    if values.dtype.kind in "iu" and values.dtype.itemsize <= 2 and values.size > 2**17:
        # As many values as there can be, then looked up: the same, and faster.
        bounds = np.iinfo(values.dtype)
        each = np.arange(bounds.min, bounds.max + 1)
        looked_up: Image = to_8_bits(each, window)[values.astype(np.int32) - bounds.min]
        return looked_up
    low, high = window
    if low == high:
        return np.where(values > low, np.uint8(255), np.uint8(0))
    share = (np.clip(values.astype(np.float64), low, high) - low) / (high - low)
    return np.floor(np.nan_to_num(share) * 255 + 0.5).astype(np.uint8)


def in_8_bits(path: Path, values: NDArray[Any], window: Window | None) -> Image:
    """Turn decoded values into grey levels: 8 bits as they are, others by the window.

    Args:
        path: of the file, for messages.
        values: uint8, or any other type of numbers.
        window: for values of more than 8 bits; None for the full range of 16 bits, which is 0 to
            65,535, or −32,768 to 32,767 with signs.

    Raises:
        SourceBenchError: there is no window, and the values have 32 bits or fractions.
    """
    if values.dtype == np.uint8:
        return values
    if window is None:
        if values.dtype.kind not in "iu" or values.dtype.itemsize > 2:
            raise SourceBenchError(
                f"{path} has values of the type {values.dtype}, and nothing says which of them "
                "are black and white. Give a window (the dataset's key window: [low, high]), or "
                "leave the file out."
            )
        bounds = np.iinfo(values.dtype)
        window = (float(bounds.min), float(bounds.max))
    return to_8_bits(values, window)


def image_of(levels: Image) -> Image:
    """Return what was decoded as grey, if it is, or as RGB.

    Args:
        levels: H×W, H×W×1, H×W×2 (grey, alpha), H×W×3 (RGB), or H×W×4 (RGB, alpha); alpha is
            ignored, so that what is transparent has the colour that stands there.

    Returns:
        H×W if there is one channel, or three that are equal; else H×W×3. Contiguous.
    """
    if levels.ndim == 2:
        return np.ascontiguousarray(levels)
    if levels.shape[2] < 3:
        return np.ascontiguousarray(levels[..., 0])
    if grey_of(levels[::SAMPLED]) is not None and (grey := grey_of(levels)) is not None:
        return grey
    return np.ascontiguousarray(levels[..., :3])
