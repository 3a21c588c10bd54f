"""Low resolution: an image that was smaller once."""

import math
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np

from sourcebench.artifacts.base import ARTIFACTS, Artifact
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon

USUAL_SIDE = 224
"""Side, in px, of the images that the severities are of, and that many networks take."""


@ARTIFACTS.register("low_resolution")
@dataclass(frozen=True)
class LowResolution(Artifact):
    """Reduced by averaging areas, and enlarged again by bilinear interpolation.

    Severities are those of MedMNIST-C's pixelation (Di Salvo et al. 2024) for DermaMNIST, of images
    of 224 px. There pixels are enlarged to squares.

    Args:
        share: shorter side of the reduced image, as a share of 224 px, or of the image's own where
            that is less. An infinite one leaves images as they are, as any does that would
            enlarge them.
    """

    title = "Low resolution"
    taxon = Taxon("environment", "imaging")
    vanishing: ClassVar = {"share": math.inf}
    severities: ClassVar = tuple({"share": share} for share in (0.7, 0.5, 0.4, 0.3, 0.25))

    share: float = parameter(
        0.4, help="side of the reduced image, in 224 px", low=0.01, high=10, infinite=True
    )

    def artifact(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the image at a lower resolution; nothing about it is random."""
        height, width = image.shape
        factor = self.share * min(height, width, USUAL_SIDE) / min(height, width)
        if factor >= 1:
            return image
        size = max(1, round(width * factor)), max(1, round(height * factor))
        small = cv2.resize(image, size, interpolation=cv2.INTER_AREA)
        large = cv2.resize(small, (width, height), interpolation=cv2.INTER_LINEAR)
        return np.asarray(large, np.uint8)
