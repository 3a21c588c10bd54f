"""Sheets to draw on, and a plate of skin: a sheet with its pigments as layers.

The unit is half an image's height where nothing is magnified, the origin its centre, x to the
right, y down.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from sourcebench.phantoms.canvas import SHIFT, Array, Points

SCATTER = np.array([0.94, 0.82, 0.75])
"""Share of red, green and blue light that comes back from skin without any pigment."""

ABSORBS: dict[str, tuple[float, float, float]] = {
    "melanin": (0.55, 1.00, 1.55),
    "blood": (0.12, 0.95, 0.75),
    "keratin": (0.04, 0.22, 0.85),
    "deep": (1.05, 0.85, 0.55),
}
"""Layer → its optical density for red, green and blue at an amount of 1.

Melanin looks brown, then black; deep in the skin it looks blue-grey, since what lies above it
scatters blue light back.
"""

COVERS: dict[str, tuple[float, float, float]] = {
    "veil": (0.45, 0.51, 0.63),
    "white": (0.93, 0.85, 0.82),
    "scale": (0.95, 0.90, 0.76),
}
"""Layer → the colour that it lays over what is below, by its amount from 0 to 1, in this order."""


class Sheet:
    """A sheet of height×width pixels, on which masks are drawn.

    Args:
        height: px.
        width: px.
        zoom: magnification.

    Attributes:
        unit: pixels in one unit.
        reach: half the width and half the height, in units.
        x, y: 1×width and height×1 float32, the pixels' coordinates.
    """

    def __init__(self, height: int, width: int, zoom: float = 1.0) -> None:
        self.height, self.width = height, width
        self.unit = height / 2 * zoom
        self.reach = np.array([width, height]) / 2 / self.unit
        x = (np.arange(width) + 0.5) / self.unit - self.reach[0]
        y = (np.arange(height) + 0.5) / self.unit - self.reach[1]
        self.x: Array = x.astype(np.float32)[None, :]
        self.y: Array = y.astype(np.float32)[:, None]

    def noise(self, rng: np.random.Generator, coarse: int, octaves: int = 3) -> Array:
        """Return smooth noise, mean about 0 and standard deviation about 1.

        Args:
            rng: where the numbers come from.
            coarse: cells along the height of the coarsest octave.
            octaves: each of the next ones is twice as fine and half as strong.
        """
        finest = coarse << (octaves - 1)
        shrunk = 1 if 4 * finest > self.height else 2  # what is smooth is made small, then enlarged
        size = (self.width // shrunk, self.height // shrunk)
        total = np.zeros((size[1], size[0]), np.float32)
        for octave in range(octaves):
            rows = min(coarse << octave, self.height)
            columns = max(2, round(rows * self.width / self.height))
            field = rng.standard_normal((rows, columns), np.float32) / (1 << octave)
            total += cv2.resize(field, size, interpolation=cv2.INTER_CUBIC)
        if shrunk == 1:
            return total
        large = cv2.resize(total, (self.width, self.height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(large, np.float32)

    def spots(self, centres: Points, radii: npt.NDArray[np.float64], soft: float = 0.0) -> Array:
        """Return the mask of discs: N×2 centres, N radii; `soft` as in `lines`."""
        image = np.zeros((self.height, self.width), np.uint8)
        for centre, radius in zip(self._fixed(centres), radii, strict=True):
            at = (int(centre[0]), int(centre[1]))
            cv2.circle(
                image,
                at,
                max(1, round(radius * self.unit * (1 << SHIFT))),
                255,
                -1,
                cv2.LINE_AA,
                SHIFT,
            )
        return self._finish(image, soft)

    def lines(self, lines: list[Points], widths: list[float], soft: float = 0.0) -> Array:
        """Return the mask of open lines.

        Args:
            lines: N×2 points each.
            widths: of each; a line thinner than a pixel is drawn fainter instead.
            soft: the edges' blur, as a Gaussian's standard deviation.
        """
        image = np.zeros((self.height, self.width), np.uint8)
        for line, width in zip(lines, widths, strict=True):
            thick = width * self.unit
            shade = round(255 * min(1.0, thick))
            points = [self._fixed(line)]
            cv2.polylines(image, points, False, shade, max(1, round(thick)), cv2.LINE_AA, SHIFT)
        return self._finish(image, soft)

    def fill(self, outline: Points, soft: float = 0.0) -> Array:
        """Return the mask of a closed outline, N×2; `soft` as in `lines`."""
        image = np.zeros((self.height, self.width), np.uint8)
        cv2.fillPoly(image, [self._fixed(outline)], 255, cv2.LINE_AA, SHIFT)
        return self._finish(image, soft)

    def _fixed(self, points: Points) -> npt.NDArray[np.int32]:
        placed = (np.asarray(points) + self.reach) * self.unit - 0.5
        return np.asarray(np.round(placed * (1 << SHIFT)), np.int32)

    def _finish(self, image: npt.NDArray[np.uint8], soft: float) -> Array:
        mask: npt.NDArray[Any] = image.astype(np.float32) * np.float32(1 / 255)
        sigma = soft * self.unit
        if sigma > 0.3:
            mask = cv2.GaussianBlur(mask, (0, 0), sigma)
        return np.asarray(mask, np.float32)


class Plate(Sheet):
    """A plate of skin.

    Args:
        height: px.
        width: px.
        zoom: magnification.

    Attributes:
        layers: name out of `ABSORBS` and `COVERS` → height×width float32, how much there is.
        rim: height×width float32, how deep in the lesion a pixel lies: 1 at its centre, 0 at its
            border, negative outside.
        angle: height×width float32, radians, the direction from the lesion's centre.
        mask: height×width float32 in [0, 1], where the lesion is.
    """

    def __init__(self, height: int, width: int, zoom: float = 1.0) -> None:
        super().__init__(height, width, zoom)
        self.layers: dict[str, Array] = {
            name: np.zeros((height, width), np.float32) for name in (*ABSORBS, *COVERS)
        }
        self.rim: Array = np.zeros((height, width), np.float32)
        self.angle: Array = np.zeros((height, width), np.float32)
        self.mask: Array = np.zeros((height, width), np.float32)

    def colour(self) -> Array:
        """Return the light that comes back, height×width×3 float32 in [0, 1], RGB."""
        result = np.empty((self.height, self.width, 3), np.float32)
        shown = {name: layer for name, layer in self.layers.items() if layer.any()}
        for channel in range(3):
            depth = np.zeros((self.height, self.width), np.float32)
            for name, absorbs in ABSORBS.items():
                if name in shown:
                    depth += np.float32(absorbs[channel]) * shown[name]
            light = np.float32(SCATTER[channel]) * np.exp(-depth)
            for name, covers in COVERS.items():
                if name in shown:
                    light += shown[name] * (np.float32(covers[channel]) - light)
            result[..., channel] = light
        return result


def step(field: Array, low: float, high: float) -> Array:
    """Return 0 below `low`, 1 above `high`, and a smooth rise between (or a fall if low > high)."""
    t = np.clip((field - np.float32(low)) * np.float32(1 / (high - low)), 0, 1)
    return np.asarray(t * t * (3 - 2 * t), np.float32)
