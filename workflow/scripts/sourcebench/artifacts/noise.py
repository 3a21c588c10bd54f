"""Poisson noise in the image domain: the quanta of a lower dose."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sourcebench.artifacts.base import ARTIFACTS, Artifact
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon

LOW_HU, HIGH_HU = -1200.0, 800.0
"""The window that the grey levels 0 to 255 stand for, in Hounsfield units."""

MU_WATER, MU_AIR = 0.1837, 0.1662
"""Attenuation of water and of air in the reference: an image's mu is dimensionless."""

LEAST_COUNT = 0.1
"""Photons: no count is taken as fewer, so that its logarithm exists."""


def poisson_noise(image: Image, n0: float, rng: np.random.Generator) -> Image:
    """Return an image as `n0` photons per pixel would have made it (Source Matters, Eq. 2).

    Grey levels become attenuations, attenuations photon counts, counts are drawn from their
    Poisson distribution, and all is undone. At `n0` = 2e7 the noise has a standard deviation of
    about 1.8 grey levels, at 1e7 of 2.5.

    Args:
        image: H×W, uint8, grey levels 0 to 255.
        n0: photons per pixel before the body, N0; infinitely many make no noise.
        rng: draws the quantisation's fractions, then the counts.

    Returns:
        H×W, uint8; clipped to the window, fractions cut off.
    """
    grey_to_hu = (HIGH_HU - LOW_HU) / 255
    hu_to_mu = (MU_WATER - MU_AIR) / 1000
    # A grey level g stands for values in [g, g + 1). Drawing one of them undoes the quantisation,
    # and makes the truncation at the end an unbiased rounding.
    grey = image + rng.random(image.shape)
    mu = (grey * grey_to_hu + LOW_HU) * hu_to_mu + MU_WATER
    if math.isfinite(n0):
        counts = rng.poisson(n0 * np.exp(-mu))
        mu = -np.log(np.maximum(counts, LEAST_COUNT) / n0)
    hu = np.clip((mu - MU_WATER) / hu_to_mu, LOW_HU, HIGH_HU)
    return ((hu - LOW_HU) / grey_to_hu).astype(np.uint8)


@ARTIFACTS.register("poisson_noise")
@dataclass(frozen=True)
class PoissonNoise(Artifact):
    """Noise of few photons against no noise (Source Matters, section 2.1, Fig. 2d, Eq. 2).

    The reference draws all images from two global generators (seeds 666 and 888) in the order in
    which they come, so that an image's noise depends on which others are confounded. Here each
    image has a stream of its own: independent from image to image, and the same in any order, in
    any subset, on any number of threads.

    Severities are doses at which mid-grey has the standard deviation that the shot noise of
    MedMNIST-C gives it (Di Salvo et al. 2024; 200, 100, 50, 25, 15 photons for white in the slices
    of OrganMNIST): 13 to 47 grey levels. Eq. 2's hardly depends on the grey level.

    Args:
        n0: photons per pixel before the body.
        resolution: side in px at which the noise is drawn.

    Raises:
        SourceBenchError: a parameter that is not allowed.
    """

    title = "Poisson noise"
    taxon = Taxon("environment", "imaging")
    is_noise = True
    vanishing: ClassVar = {"n0": math.inf}
    severities: ClassVar = tuple({"n0": n0} for n0 in (3.9e5, 2.0e5, 9.8e4, 4.9e4, 2.9e4))

    n0: float = parameter(
        2e7, unit="photons", help="photons per pixel", low=1, high=1e15, infinite=True
    )
    resolution: int = parameter(
        512, unit="px", help="side at which the noise is drawn", low=1, high=1024
    )

    def artifact(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the image with noise."""
        return poisson_noise(image, self.n0, rng)
