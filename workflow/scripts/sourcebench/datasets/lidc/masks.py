"""What the readers drew, as pixels: one reader's mask, and how many readers agree.

A contour of LIDC-IDRI runs along the outside of a nodule: its own pixels are the first that do not
belong to it (McNitt-Gray et al., Academic Radiology 14, 2007).
"""

from collections.abc import Iterable, Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

SIDE = 512


def contour_mask(
    points: Sequence[NDArray[np.integer]],
    inclusion: Sequence[bool],
    origin: tuple[int, int] = (0, 0),
    shape: tuple[int, int] = (SIDE, SIDE),
) -> NDArray[np.bool_]:
    """Rasterise one reader's contours of one nodule on one slice.

    Args:
        points: (row, column) in pixels of the slice, n×2, one array per contour (at least
            one), as in `annotations.contours`.
        inclusion: for each contour, whether its inside belongs to the nodule or is cut out.
        origin: the pixel (row, column) of the slice where the mask begins.
        shape: of the mask, in pixels; what lies outside is cut off.

    Returns:
        Bool, True for the pixels inside, without the contours' own; a contour that has no inside
        (a nodule of a few pixels) counts with its own. What an excluding contour surrounds is cut
        out with the contour itself, as by pylidc's `boolean_mask`.
    """
    low, high = _box(points)
    canvas = np.zeros(high - low, np.uint8)
    lines = [np.ascontiguousarray((line - low)[:, ::-1], dtype=np.int32) for line in points]
    for line in (line for line, kept in zip(lines, inclusion, strict=True) if kept):
        filled = cv2.fillPoly(np.zeros_like(canvas), [line], 1)
        inside = cv2.polylines(filled.copy(), [line], True, 0)
        canvas[(inside if inside.any() else filled) > 0] = 1
    for line in (line for line, kept in zip(lines, inclusion, strict=True) if not kept):
        cv2.fillPoly(canvas, [line], 0)
    mask = np.zeros(shape, bool)
    offset = low - origin
    (top, left), (bottom, right) = np.clip(offset, 0, shape), np.clip(high - origin, 0, shape)
    row, column = offset
    mask[top:bottom, left:right] = canvas[top - row : bottom - row, left - column : right - column]
    return mask


def _box(points: Sequence[NDArray[np.integer]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the first pixel of the smallest box that holds all points, and the one past it."""
    every = np.concatenate(list(points)).astype(np.int64)
    return every.min(axis=0), every.max(axis=0) + 1


def agreement(
    readers: Iterable[tuple[Sequence[NDArray[np.integer]], Sequence[bool]]],
) -> tuple[NDArray[np.uint8], tuple[int, int]]:
    """Count how many readers hold each pixel of a slice to be nodule.

    Args:
        readers: of each reader, `points` and `inclusion` as `contour_mask` takes them.

    Returns:
        The counts within the smallest box that holds every contour, and the box's first pixel
        (row, column).
    """
    drawn = list(readers)
    low, high = _box([line for points, _ in drawn for line in points])
    (top, left), (height, width) = low.tolist(), (high - low).tolist()
    counts = np.zeros((height, width), np.uint8)
    for points, inclusion in drawn:
        counts += contour_mask(points, inclusion, (top, left), (height, width))
    return counts, (top, left)
