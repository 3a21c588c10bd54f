"""Gaussian noise: the same at every grey level."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sourcebench.artifacts.base import ARTIFACTS, Artifact, rounded
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon


@ARTIFACTS.register("gaussian_noise")
@dataclass(frozen=True)
class GaussianNoise(Artifact):
    """Independent normal noise in every pixel and channel, clipped to black and white.

    Severities are those of MedMNIST-C (Di Salvo et al. 2024) for DermaMNIST and ChestMNIST: 0.04,
    0.08, 0.12, 0.18, 0.26 of white. What *Silent Failures* (Bungert et al. 2023) added is not
    published. An image has the same noise at every severity, but for its strength.

    Args:
        sd: standard deviation of the noise.
        resolution: side in px at which the noise is drawn; the image's own, if none is given. A
            task that resizes by averaging takes part of the noise away.
    """

    title = "Gaussian noise"
    taxon = Taxon("environment", "imaging")
    is_noise = True
    vanishing: ClassVar = {"sd": 0}
    severities: ClassVar = tuple({"sd": sd} for sd in (10.2, 20.4, 30.6, 45.9, 66.3))

    sd: float = parameter(30.6, unit="grey levels", help="standard deviation", low=0, high=255)
    resolution: int | None = parameter(
        None, unit="px", help="side at which it is drawn", low=1, high=1024
    )

    def artifact(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the image with noise."""
        return rounded(image + self.sd * rng.standard_normal(image.shape, np.float32))
