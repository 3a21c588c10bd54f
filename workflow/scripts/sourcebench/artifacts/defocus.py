"""Defocus: an image that is out of focus."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sourcebench.artifacts.base import ARTIFACTS, Artifact, scale_of
from sourcebench.artifacts.blurring import disc, spread
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon


@ARTIFACTS.register("defocus")
@dataclass(frozen=True)
class Defocus(Artifact):
    """Every point becomes a disc, as a round aperture out of focus shows it.

    Severities are the radii of MedMNIST-C (Di Salvo et al. 2024) for BloodMNIST, 2 to 6 px of 224,
    without the softening of the disc's edge that these come with; with those for DermaMNIST, 4 to
    8 px, a chest X-ray has lost its ribs and vessels at the first.

    Args:
        radius: of the disc, in px on a 1024² image; it scales with the image's side.
    """

    title = "Defocus"
    taxon = Taxon("environment", "imaging")
    vanishing: ClassVar = {"radius": 0}
    severities: ClassVar = tuple({"radius": radius} for radius in (9.1, 13.7, 18.3, 22.9, 27.4))

    radius: float = parameter(
        18.3, unit="px", help="radius of the disc on a 1024² image", low=0, high=512
    )

    def artifact(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the image out of focus; nothing about it is random."""
        return spread(image, disc(self.radius * scale_of(image)))
