"""Contrast: how far grey levels are from their mean."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sourcebench.artifacts.base import ARTIFACTS, Artifact, rounded
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon


@ARTIFACTS.register("contrast")
@dataclass(frozen=True)
class Contrast(Artifact):
    """Distances from the mean grey level times a factor; of several channels each has its own mean.

    The formula is that of ImageNet-C (Hendrycks and Dietterich 2019). Severities are those of
    MedMNIST-C (Di Salvo et al. 2024) for DermaMNIST, where contrast is lost; there one mean, of the
    image in grey, serves all channels.

    Args:
        factor: what distances are multiplied by: under 1 contrast is lost, over 1 it is gained.
    """

    title = "Contrast"
    taxon = Taxon("environment", "imaging")
    vanishing: ClassVar = {"factor": 1}
    severities: ClassVar = tuple({"factor": factor} for factor in (0.8, 0.7, 0.6, 0.5, 0.4))

    factor: float = parameter(0.6, help="factor of distances from the mean", low=0, high=100)

    def artifact(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the image with other contrast; nothing about it is random."""
        mean = image.mean()
        return rounded((np.arange(256) - mean) * self.factor + mean)[image]
