"""Drawing in millimetres on a slice of Hounsfield units."""

from collections.abc import Sequence

import cv2
import numpy as np
import numpy.typing as npt

from sourcebench.phantoms.canvas import SHIFT, Array, Points

SIDE = 512
_FINE = 2  # lines are drawn this much finer, since OpenCV's widths are whole pixels


class Plate:
    """A slice that shapes are painted on, the last one on top.

    Coordinates are millimetres from the image's centre: x to the image's right (the patient's
    left), y down (the patient's back).

    Args:
        spacing: pixel side in mm.

    Attributes:
        hu: 512×512 float32, Hounsfield units; air at first.
        spacing: pixel side in mm.
    """

    def __init__(self, spacing: float) -> None:
        self.spacing = spacing
        self.hu: Array = np.full((SIDE, SIDE), -1000, np.float32)

    def pixels(self, points: Points) -> Points:
        """Turn millimetres (N×2: x, y) into pixels (column, row)."""
        return np.asarray(points, np.float64) / self.spacing + (SIDE - 1) / 2

    def mask(self, *outlines: Points, soft: float = 0.0) -> Array:
        """Return the cover (512×512, 0 to 1) of closed outlines, blurred by `soft` mm."""
        image = np.zeros((SIDE, SIDE), np.uint8)
        for outline in outlines:
            cv2.fillPoly(image, [_fixed(self.pixels(outline))], 255, cv2.LINE_AA, SHIFT)
        return self.soften(image.astype(np.float32) * np.float32(1 / 255), soft)

    def soften(self, mask: Array, soft: float) -> Array:
        """Blur by a Gaussian of `soft` mm."""
        sigma = soft / self.spacing
        return np.asarray(
            cv2.GaussianBlur(mask, (0, 0), sigma) if sigma > 0.3 else mask, np.float32
        )

    def fill(self, value: float, *outlines: Points, share: float = 1.0) -> None:
        """Paint closed outlines with a value in HU; `share` below 1 lets through what is below."""
        for outline in outlines:
            place = self.pixels(outline)
            low = np.clip(np.floor(place.min(axis=0)).astype(int) - 2, 0, SIDE)
            high = np.clip(np.ceil(place.max(axis=0)).astype(int) + 3, 0, SIDE)
            if (high <= low).any():
                continue
            image = np.zeros((high[1] - low[1], high[0] - low[0]), np.uint8)
            cv2.fillPoly(image, [_fixed(place - low)], 255, cv2.LINE_AA, SHIFT)
            window = self.hu[low[1] : high[1], low[0] : high[0]]
            window += image * np.float32(share / 255) * (np.float32(value) - window)

    def blend(self, mask: Array, value: Array | float) -> None:
        """Paint a value, or an image of values, in HU where a mask says how much."""
        self.hu += mask * (value - self.hu)

    def lines(self, ends: npt.NDArray[np.float64], radii: Points, shares: Points) -> Array:
        """Return the cover of round-ended lines.

        Args:
            ends: M×2×2, each line's ends (x, y) in mm.
            radii: M, mm.
            shares: M, 0 to 1: how much of the slice's thickness each line fills. The fuller lie on
                top.

        Returns:
            512×512, 0 to 1.
        """
        image = np.zeros((SIDE * _FINE, SIDE * _FINE), np.uint8)
        place = _fixed((self.pixels(ends) + 0.5) * _FINE - 0.5)
        thick = 2 * np.asarray(radii) / self.spacing * _FINE
        grey = 255 * np.asarray(shares) * np.minimum(thick, 1)
        for i in np.argsort(grey, kind="stable"):
            width = max(1, round(float(thick[i])))
            start, end = place[i].tolist()
            cv2.line(image, start, end, float(grey[i]), width, cv2.LINE_AA, SHIFT)
        small = cv2.resize(image, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
        return np.asarray(small, np.float32) * np.float32(1 / 255)


def texture(rng_planes: Sequence[Array], share: float) -> Array:
    """Return a 512×512 field between two planes of random numbers, of standard deviation 1.

    Args:
        rng_planes: the planes (N×N) below and above.
        share: how far towards the second one, 0 to 1.
    """
    below, above = rng_planes
    mixed = (below * (1 - share) + above * share) / np.hypot(1 - share, share)
    field = cv2.resize(mixed.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_CUBIC)
    return np.asarray(field / np.float32(0.75), np.float32)  # what interpolation takes away


def _fixed(points: Points) -> npt.NDArray[np.int32]:
    return np.asarray(np.round(points * (1 << SHIFT)), np.int32)
