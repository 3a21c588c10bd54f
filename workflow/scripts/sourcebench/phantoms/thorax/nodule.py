"""A lung nodule's margin and tissue: spikes around it, and how much of it is solid."""

import cv2
import numpy as np

from sourcebench.phantoms.canvas import SHIFT, Array

_MOST = 14  # spikes of the most spiculated nodule


def spiculated(
    share: Array, spacing: float, degree: float, rng: np.random.Generator
) -> tuple[Array, int]:
    """Draw the spikes that run from a nodule into the lung around it.

    Args:
        share: h×w, 0 to 1, how far each pixel is nodule.
        spacing: pixel side, mm.
        degree: 0, none, to 1, marked: how many they are, and how long.
        rng: the nodule's own, so that its spikes point the same way on every slice.

    Returns:
        The share with them, and how many px it is larger on each side.
    """
    turns = rng.uniform(-0.7, 0.7, _MOST)
    lengths = rng.uniform(0.3, 1.4, _MOST)
    count = round(_MOST * degree)
    full = float(share.max())
    if count == 0 or full == 0:
        return share, 0
    rows, columns = np.nonzero(share > 0.5 * full)
    middle = np.array([columns.mean(), rows.mean()])
    radius = np.sqrt(len(rows) / np.pi)
    reach = (0.2 + 0.6 * degree) * radius + 1.0 / spacing
    room = int(np.ceil(1.4 * reach)) + 2
    padded: Array = np.pad(share, room)
    middle += room
    spikes = np.zeros(padded.shape, np.uint8)
    half = max(0.4 / spacing, 0.06 * radius)
    for k in range(count):
        angle = 2 * np.pi * (k + turns[k]) / count
        along = np.array([np.cos(angle), np.sin(angle)])
        across = np.array([-along[1], along[0]])
        edge = _edge(padded, middle, along, 0.5 * full)
        foot = middle + 0.6 * edge * along
        tip = middle + (edge + lengths[k] * reach) * along
        outline = np.stack([foot + 1.6 * half * across, tip, foot - 1.6 * half * across])
        fixed = np.round(outline * (1 << SHIFT)).astype(np.int32)
        cv2.fillPoly(spikes, [fixed], 255, cv2.LINE_AA, SHIFT)
    drawn = spikes.astype(np.float32) * np.float32(0.8 * full / 255)
    return np.asarray(np.maximum(padded, drawn), np.float32), room


def _edge(share: Array, middle: np.ndarray, along: np.ndarray, level: float) -> float:
    """Return how far from the middle a nodule goes in a direction, px."""
    steps = np.arange(0, max(share.shape), 0.5)
    columns, rows = np.round(middle[:, None] + along[:, None] * steps).astype(int)
    inside = (rows >= 0) & (columns >= 0) & (rows < share.shape[0]) & (columns < share.shape[1])
    held = share[rows[inside], columns[inside]] > level
    return float(steps[inside][held].max(initial=0))


def core(share: Array, solid: float) -> Array:
    """Return a nodule's solid part: what lies deepest.

    Args:
        share: h×w, 0 to 1, how far each pixel is nodule.
        solid: how much of its radius is solid; 0 is nothing and 1 all of it.

    Returns:
        h×w, 0 to 1.
    """
    if solid >= 1 or solid <= 0:
        return share * np.float32(solid >= 1)
    inside = np.pad(share > 0.5 * share.max(), 1).astype(np.uint8)
    depth = cv2.distanceTransform(inside, cv2.DIST_L2, 5)[1:-1, 1:-1]
    deepest = float(depth.max())
    inner = np.clip(depth - (1 - solid) * deepest + 0.5, 0, 1)
    return np.asarray(share * inner, np.float32)
