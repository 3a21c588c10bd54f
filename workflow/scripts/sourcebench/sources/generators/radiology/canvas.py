"""Soft-edged anatomy on a warped grid: what all modalities are drawn with."""

import cv2
import numpy as np

from sourcebench.sources.generators.base import Field, Grey


def smooth_noise(rng: np.random.Generator, size: int, cells: int) -> Field:
    """Return smooth noise of unit order, size×size float32, with `cells` bumps along a side."""
    coarse = rng.standard_normal((cells + 1, cells + 1), np.float32)
    return np.asarray(cv2.resize(coarse, (size, size), interpolation=cv2.INTER_CUBIC), np.float32)


class Canvas:
    """An image to paint on, with coordinates that differ a little from patient to patient.

    x runs from −1 (left) to 1, y from −1 (top) to 1, both slightly turned, scaled, shifted and
    bent, so that no two ellipses come out alike.

    Args:
        rng: where the variation comes from.
        size: side in pixels.
        warp: strength of the bending, in units of x and y.
        turn: standard deviation of the rotation in radians.

    Attributes:
        image: size×size, float32; 0 is black, 1 is white.
    """

    def __init__(
        self, rng: np.random.Generator, size: int, warp: float = 0.03, turn: float = 0.06
    ) -> None:
        self.rng = rng
        self.size = size
        self.image: Field = np.zeros((size, size), np.float32)
        axis = np.linspace(-1, 1, size, dtype=np.float32)
        angle = rng.normal(0, turn)
        scale = rng.uniform(0.92, 1.15)
        cos, sin = np.float32(scale * np.cos(angle)), np.float32(scale * np.sin(angle))
        shift = rng.normal(0, 0.04, 2).astype(np.float32)
        self.x: Field = cos * axis - sin * axis[:, None] + shift[0]
        self.y: Field = sin * axis + cos * axis[:, None] + shift[1]
        self.x += np.float32(warp) * smooth_noise(rng, size, 4)
        self.y += np.float32(warp) * smooth_noise(rng, size, 4)

    def ellipse(
        self, x: float, y: float, rx: float, ry: float, angle: float = 0.0, edge: float = 1.0
    ) -> Field:
        """Return the mask of an ellipse, size×size float32 in [0, 1].

        Args:
            x: centre.
            y: centre.
            rx: half axis along x, before turning.
            ry: half axis along y, before turning.
            angle: radians.
            edge: width of the soft edge in pixels.
        """
        cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
        dx, dy = self.x - np.float32(x), self.y - np.float32(y)
        u = (cos * dx + sin * dy) / np.float32(rx)
        v = (cos * dy - sin * dx) / np.float32(ry)
        inside = (1 - np.sqrt(u * u + v * v)) * np.float32(min(rx, ry) * self.size / 2 / edge)
        return np.asarray(np.clip(inside + np.float32(0.5), 0, 1), np.float32)

    def paint(self, mask: Field, value: float | Field) -> None:
        """Cover the image with a value (or an image of values) where the mask says so."""
        self.image += mask * (value - self.image)

    def grey(self, noise: Field | float = 0.0) -> Grey:
        """Return the image with noise added: size×size, uint8."""
        return np.asarray(np.clip(self.image + noise, 0, 1) * 255, np.float32).astype(np.uint8)
