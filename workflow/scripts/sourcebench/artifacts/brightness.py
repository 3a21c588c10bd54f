"""Brightness: an image that is brighter or darker than it was taken."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sourcebench.artifacts.base import ARTIFACTS, Artifact, rounded
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon


@ARTIFACTS.register("brightness_up")
@dataclass(frozen=True)
class BrightnessUp(Artifact):
    """Grey levels times a factor over 1; what passes white is white.

    Severities are those of MedMNIST-C (Di Salvo et al. 2024) for DermaMNIST and ChestMNIST. What
    *Silent Failures* (Bungert et al. 2023) brightened by is not published.

    Args:
        factor: what grey levels are multiplied by.
    """

    title = "Brighter"
    taxon = Taxon("environment", "imaging")
    vanishing: ClassVar = {"factor": 1}
    severities: ClassVar = tuple({"factor": factor} for factor in (1.1, 1.2, 1.3, 1.4, 1.5))

    factor: float = parameter(1.3, help="factor of the grey levels", low=1, high=100)

    def artifact(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the brighter image; nothing about it is random."""
        return rounded(np.arange(256) * self.factor)[image]


@ARTIFACTS.register("brightness_down")
@dataclass(frozen=True)
class BrightnessDown(Artifact):
    """Grey levels times a factor under 1.

    Severities are those of MedMNIST-C (Di Salvo et al. 2024) for DermaMNIST and ChestMNIST. What
    *Silent Failures* (Bungert et al. 2023) darkened by is not published.

    Args:
        factor: what grey levels are multiplied by.
    """

    title = "Darker"
    taxon = Taxon("environment", "imaging")
    vanishing: ClassVar = {"factor": 1}
    severities: ClassVar = tuple({"factor": factor} for factor in (0.9, 0.8, 0.7, 0.6, 0.5))

    factor: float = parameter(0.7, help="factor of the grey levels", low=0, high=1)

    def artifact(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the darker image; nothing about it is random."""
        return rounded(np.arange(256) * self.factor)[image]
