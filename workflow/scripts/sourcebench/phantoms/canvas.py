"""Drawing in a body's own coordinates, with soft edges, at the cheapest resolution that shows.

Body coordinates: the unit is half the image's side (about 205 mm), the origin the image's centre
before posing, x to the image's right (the patient's left), y down.
"""

from collections.abc import Sequence
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Array = npt.NDArray[np.float32]
Points = npt.NDArray[np.float64]

MM = 1 / 205
"""One millimetre in body units."""

SHIFT = 4  # fractional bits of OpenCV's sub-pixel coordinates


def smooth(points: Points | Sequence[tuple[float, float]], n: int = 12) -> Points:
    """Return a Catmull-Rom curve through control points, `n` points a piece.

    Args:
        points: K×2 control points, K at least 2.
        n: points drawn for each of the K-1 pieces.

    Returns:
        ((K-1)·n + 1)×2 points, the ends included.
    """
    p = np.asarray(points, np.float64)
    p = np.vstack([2 * p[0] - p[1], p, 2 * p[-1] - p[-2]])
    t = (np.arange(n) / n)[None, :, None]
    a, b, c, d = (p[i : len(p) - 3 + i, None, :] for i in range(4))
    curve = 0.5 * (
        2 * b + (c - a) * t + (2 * a - 5 * b + 4 * c - d) * t**2 + (3 * (b - c) + d - a) * t**3
    )
    return np.vstack([curve.reshape(-1, 2), p[-2]])


def ellipse(x: float, y: float, rx: float, ry: float, turn: float = 0.0, n: int = 40) -> Points:
    """Return an ellipse's outline (n×2): centre, half-axes, `turn` in radians clockwise."""
    t = np.linspace(0, 2 * np.pi, n, endpoint=False)
    u, v = rx * np.cos(t), ry * np.sin(t)
    c, s = np.cos(turn), np.sin(turn)
    return np.stack([x + u * c - v * s, y + u * s + v * c], axis=1)


def tube(line: Points, width: float | npt.NDArray[np.float64]) -> Points:
    """Return the outline of a band around a line; `width` may differ along it."""
    along = np.gradient(line, axis=0)
    across = np.stack([-along[:, 1], along[:, 0]], axis=1)
    across /= np.linalg.norm(across, axis=1, keepdims=True) + 1e-9
    half = np.broadcast_to(np.asarray(width) / 2, (len(line),))[:, None]
    return np.vstack([line + across * half, (line - across * half)[::-1]])


class Canvas:
    """A square on which masks in [0, 1] are drawn in body coordinates.

    Args:
        side: pixels a side.
        turn: the pose's rotation in radians, clockwise.
        scale: the pose's magnification.
        shift: the pose's translation (x, y) in body units.

    Attributes:
        depth: side×side float32, attenuation so far (1 is about a chest's soft tissue).
        vessels: side×side float32, attenuation of the lungs' fine marks, kept apart so that a
            finding such as a pneumothorax can take them away.
        air: side×side float32 in [0, 1], where lung is.
    """

    def __init__(self, side: int, turn: float, scale: float, shift: tuple[float, float]) -> None:
        self.side = side
        c, s = scale * np.cos(turn), scale * np.sin(turn)
        self._linear = np.array([[c, -s], [s, c]])
        self._shift = np.asarray(shift, np.float64)
        self.depth: Array = np.zeros((side, side), np.float32)
        self.vessels: Array = np.zeros((side, side), np.float32)
        self.air: Array = np.zeros((side, side), np.float32)
        inverse = np.linalg.inv(self._linear)
        axis = (np.arange(side) + 0.5) * 2 / side - 1
        u, v = axis - shift[0], (axis - shift[1])[:, None]
        self.x: Array = (inverse[0, 0] * u + inverse[0, 1] * v).astype(np.float32)
        self.y: Array = (inverse[1, 0] * u + inverse[1, 1] * v).astype(np.float32)

    def to_body(self, points: Points) -> Points:
        """Turn image coordinates (N×2, in [-1, 1] from edge to edge) into body coordinates."""
        return (np.asarray(points) - self._shift) @ np.linalg.inv(self._linear).T

    def fill(self, *outlines: Points, soft: float = 0.0) -> Array:
        """Return the mask of closed outlines.

        Args:
            outlines: N×2 each.
            soft: the edge's blur, as a Gaussian's standard deviation in body units.
        """
        level, sigma = self._level(soft)
        image = np.zeros((self.side >> level,) * 2, np.uint8)
        for outline in outlines:
            cv2.fillPoly(image, [self._fixed(outline, level)], 255, cv2.LINE_AA, SHIFT)
        return self._finish(image, sigma)

    def stroke(
        self,
        lines: Sequence[Points] | Points,
        width: float,
        soft: float = 0.0,
        closed: bool = False,
    ) -> Array:
        """Return the mask of open (or closed) lines of one width.

        Args:
            lines: N×2 each, or one array M×N×2, which is faster for many short ones.
            width: in body units; a line thinner than a pixel is drawn fainter instead.
            soft: as in `fill`.
            closed: join each line's ends.
        """
        level, sigma = self._level(soft)
        image = np.zeros((self.side >> level,) * 2, np.uint8)
        if isinstance(lines, np.ndarray):
            pixels = list(self._fixed(lines, level))
        else:
            pixels = [self._fixed(line, level) for line in lines]
        thick = width * image.shape[0] / 2
        cv2.polylines(image, pixels, closed, 255, max(1, round(thick)), cv2.LINE_AA, SHIFT)
        mask = self._finish(image, sigma)
        return mask if thick >= 1 else np.asarray(mask * np.float32(thick))

    def relief(self, *outlines: Points, radius: float, soft: float = 0.01) -> Array:
        """Return how thick a rounded body is: 0 at its edge, 1 from `radius` inwards.

        The profile is a circle's quarter, as a cylinder has it, so that an edge falls off steeply.
        """
        level = 1
        image = np.zeros((self.side >> level,) * 2, np.uint8)
        for outline in outlines:
            cv2.fillPoly(image, [self._fixed(outline, level)], 255, cv2.LINE_8, SHIFT)
        # The image's border is no edge of the body: continue it outwards before measuring.
        pad = int(radius * image.shape[0] / 2) + 2
        padded = cv2.copyMakeBorder(image, pad, pad, pad, pad, cv2.BORDER_REPLICATE)
        distance = cv2.distanceTransform(padded, cv2.DIST_L2, 3)[pad:-pad, pad:-pad]
        inner = np.minimum(distance * np.float32(2 / (radius * (self.side >> level))), 1)
        profile = np.sqrt(1 - (1 - inner) ** 2)
        return self._finish(profile, soft * (self.side >> level) / 2)

    def noise(self, rng: np.random.Generator, coarse: int, octaves: int = 3) -> Array:
        """Return smooth noise, mean about 0 and standard deviation about 1.

        Args:
            rng: where the numbers come from.
            coarse: cells a side of the coarsest octave.
            octaves: each of the next ones is twice as fine and half as strong.
        """
        total = np.zeros((self.side, self.side), np.float32)
        for octave in range(octaves):
            cells = min(coarse << octave, self.side)
            field = rng.standard_normal((cells, cells), np.float32) / (1 << octave)
            total += cv2.resize(field, (self.side, self.side), interpolation=cv2.INTER_CUBIC)
        return total

    def _level(self, soft: float) -> tuple[int, float]:
        """Choose how often to halve the side so that a blur stays a few pixels wide."""
        sigma = soft * self.side / 2
        level = 2 if sigma >= 6 else 1 if sigma >= 2.5 else 0
        return level, sigma / (1 << level)

    def _fixed(self, points: Points, level: int) -> npt.NDArray[np.int32]:
        placed = (points @ self._linear.T + self._shift + 1) * (self.side >> level) / 2 - 0.5
        return np.asarray(np.round(placed * (1 << SHIFT)), np.int32)

    def _finish(self, image: npt.NDArray[np.uint8] | Array, sigma: float) -> Array:
        mask: npt.NDArray[Any] = image.astype(np.float32)
        if image.dtype == np.uint8:
            mask *= np.float32(1 / 255)
        if sigma > 0.3:
            mask = cv2.GaussianBlur(mask, (0, 0), sigma)
        if mask.shape[0] != self.side:
            mask = cv2.resize(mask, (self.side, self.side), interpolation=cv2.INTER_LINEAR)
        return np.asarray(mask, np.float32)
