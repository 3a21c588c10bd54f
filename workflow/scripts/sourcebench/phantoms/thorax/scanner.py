"""What a scanner makes of a body: its kernel's blur, its noise and its range of values."""

from dataclasses import dataclass

import cv2
import numpy as np

from sourcebench.phantoms.canvas import Array
from sourcebench.phantoms.thorax.plate import SIDE


@dataclass(frozen=True)
class Scanner:
    """How a scan was made.

    Attributes:
        blur: the kernel's, as a Gaussian's standard deviation in mm.
        edge: how much the kernel overshoots at edges; 0 for a smooth one.
        noise: standard deviation in the middle of the chest, HU.
        coarse: size of the noise's grain, pixels.
        sharp: whether the kernel is a sharp one.
    """

    blur: float
    edge: float
    noise: float
    coarse: float
    sharp: bool


def draw_scanner(rng: np.random.Generator, thickness: float) -> Scanner:
    """Draw a scanner: thin slices and sharp kernels are noisier."""
    sharp = rng.uniform() < 0.35
    noise = rng.normal(17, 3.5) * np.sqrt(2.0 / np.clip(thickness, 0.9, 3.5))
    return Scanner(
        blur=rng.uniform(0.42, 0.52) if sharp else rng.uniform(0.62, 0.82),
        edge=rng.uniform(0.35, 0.6) if sharp else rng.uniform(0.0, 0.15),
        noise=float(np.clip(noise * (1.7 if sharp else 1.0), 10, 42)),
        coarse=rng.uniform(0.55, 0.75) if sharp else rng.uniform(0.85, 1.15),
        sharp=bool(sharp),
    )


def scan(
    scanner: Scanner, hu: Array, spacing: float, shoulders: float, rng: np.random.Generator
) -> Array:
    """Blur a slice and add its noise.

    The noise is a band of frequencies, as filtered back-projection leaves it, stronger where rays
    cross much tissue; between the shoulders the rays along them add horizontal streaks.

    Args:
        scanner: the scan's.
        hu: 512×512, HU.
        spacing: pixel side, mm.
        shoulders: 0 to 1, how much of the shoulders lies in the slice.
        rng: the slice's own.

    Returns:
        512×512 float32, HU.
    """
    seen = _blurred(hu, scanner.blur / spacing)
    if scanner.edge > 0:
        seen = seen + np.float32(scanner.edge) * (seen - _blurred(seen, 1.2 / spacing))
    white = rng.standard_normal((SIDE, SIDE), np.float32)
    grain = _blurred(white, scanner.coarse) - _blurred(white, 2.6 * scanner.coarse)
    tissue = cv2.resize(np.asarray(hu > -400, np.float32), (64, 64), interpolation=cv2.INTER_AREA)
    path = cv2.resize(
        _blurred(np.asarray(tissue, np.float32), 9), (SIDE, SIDE), interpolation=cv2.INTER_LINEAR
    )
    level = np.asarray(0.40 + 0.95 * path, np.float32)
    seen += level * grain * np.float32(scanner.noise / float(grain.std()))
    if shoulders > 0:
        streaks = _blurred(white, 24, 1.0)
        streaks *= np.float32(1.3 * scanner.noise * shoulders / streaks.std())
        seen = np.asarray(seen + streaks * np.clip(1.6 * (level - 0.45), 0, 1), np.float32)
    return seen


def _blurred(image: Array, across: float, along: float = 0) -> Array:
    """Blur by a Gaussian, in pixels; `along` the columns as `across` if it is 0."""
    return np.asarray(cv2.GaussianBlur(image, (0, 0), sigmaX=across, sigmaY=along), np.float32)
