"""Gamma: another characteristic curve."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sourcebench.artifacts.base import ARTIFACTS, Artifact, rounded
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon


@ARTIFACTS.register("gamma")
@dataclass(frozen=True)
class Gamma(Artifact):
    """Grey levels, as shares of white, to a power: black and white stay, the middle moves.

    Severities are those of MedMNIST-C (Di Salvo et al. 2024) for ChestMNIST, where the middle
    darkens.

    Args:
        gamma: the power: over 1 the middle darkens, under 1 it brightens.
    """

    title = "Gamma"
    taxon = Taxon("environment", "imaging")
    vanishing: ClassVar = {"gamma": 1}
    severities: ClassVar = tuple({"gamma": gamma} for gamma in (1.1, 1.2, 1.3, 1.4, 1.6))

    gamma: float = parameter(1.3, help="power of the grey levels", low=0.01, high=100)

    def artifact(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the image with another curve; nothing about it is random."""
        return rounded(255 * (np.arange(256) / 255) ** self.gamma)[image]
