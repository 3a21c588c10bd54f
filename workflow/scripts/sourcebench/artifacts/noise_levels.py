"""High versus low noise: every image is noisy, the confounded ones differently so."""

import math
from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sourcebench.artifacts.base import ARTIFACTS, Artifact
from sourcebench.artifacts.noise import poisson_noise
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon


@ARTIFACTS.register("noise_levels")
@dataclass(frozen=True)
class NoiseLevels(Artifact):
    """Two doses: one with the artifact, another without (Source Matters, Fig. 4 right).

    The defaults are the reference's. The paper has n0 = 1e7 and n0_artifact = 2e7.

    Args:
        n0: photons per pixel in images without the artifact.
        n0_artifact: photons per pixel in images with the artifact.
        resolution: side in px at which the noise is drawn.

    Raises:
        SourceBenchError: a parameter that is not allowed, or twice the same finite dose.
    """

    title = "High vs low noise"
    taxon = Taxon("environment", "imaging")
    is_noise = True
    has_base: ClassVar[bool] = True
    vanishing: ClassVar = {"n0": math.inf, "n0_artifact": math.inf}

    n0: float = parameter(
        2e7, unit="photons", help="without the artifact", low=1, high=1e15, infinite=True
    )
    n0_artifact: float = parameter(
        1.5e7, unit="photons", help="with the artifact", low=1, high=1e15, infinite=True
    )
    resolution: int = parameter(
        512, unit="px", help="side at which the noise is drawn", low=1, high=1024
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.n0 == self.n0_artifact and math.isfinite(self.n0):
            raise SourceBenchError(
                f"Artifact 'noise_levels': n0 and n0_artifact are both {self.n0:g} photons; "
                "with one dose for all there is no confounder, so give two."
            )

    def artifact(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the image with the noise of `n0_artifact`."""
        return poisson_noise(image, self.n0_artifact, rng)

    def base(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the image with the noise of `n0`, of another exposure than the artifact's."""
        return poisson_noise(image, self.n0, rng.spawn(1)[0])
