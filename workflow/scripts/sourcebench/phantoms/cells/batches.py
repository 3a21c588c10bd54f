"""What an experiment's day and a plate do to images, whatever the cells are."""

from dataclasses import dataclass

import cv2
import numpy as np

from sourcebench.phantoms.canvas import Array
from sourcebench.seeds import generator


@dataclass(frozen=True)
class Batch:
    """Staining and optics of a plate; arrays have a value for each stain.

    Attributes:
        gain: how bright a stain is.
        background: grey levels (of 1) where no cell is.
        blur: standard deviation of the optics' Gaussian, px of a field of 512.
        shade: how much darker a corner is than the middle, as a share.
        slope: how much brighter one edge is than the other (x, y), as a share.
        noise: standard deviation of the photons' noise at grey level 1.
    """

    gain: Array
    background: Array
    blur: Array
    shade: float
    slope: tuple[float, float]
    noise: float

    def illumination(self, side: int) -> Array:
        """Return how bright the lamp is, side×side, 1 in the middle."""
        coarse = np.linspace(-1, 1, 16, dtype=np.float32)
        x, y = coarse[None, :], coarse[:, None]
        light = 1 + self.slope[0] * x + self.slope[1] * y - self.shade * (x**2 + y**2) / 2
        return np.asarray(cv2.resize(light, (side, side), interpolation=cv2.INTER_LINEAR))


def batch(experiment: str, plate: int) -> Batch:
    """Return what a plate does to its images.

    The plates of an experiment are alike; those of two experiments differ more than cells under two
    siRNAs do.
    """
    day = generator("phantom", "experiment", experiment)
    own = generator("phantom", "plate", experiment, plate)
    gain = np.exp(0.28 * day.standard_normal(6) + 0.07 * own.standard_normal(6))
    background = day.uniform(0.015, 0.07, 6) * np.exp(0.15 * own.standard_normal(6))
    blur = day.uniform(0.5, 1.2) + day.uniform(0, 0.5, 6) + own.uniform(0, 0.4)
    turn = day.uniform(0, 2 * np.pi)
    tilt = day.uniform(0, 0.25)
    return Batch(
        gain=gain.astype(np.float32),
        background=background.astype(np.float32),
        blur=blur.astype(np.float32),
        shade=float(day.uniform(0.1, 0.4)),
        slope=(float(tilt * np.cos(turn)), float(tilt * np.sin(turn))),
        noise=float(day.uniform(0.008, 0.03)),
    )
