"""Poisson noise in the projection domain: CT at a lower dose."""

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from sourcebench.accelerators import ACCELERATORS, Processor, processor_of
from sourcebench.artifacts.base import ARTIFACTS, Artifact
from sourcebench.artifacts.noise import HIGH_HU, LEAST_COUNT, LOW_HU
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.tomography import ANGLES, WIDTH, Field, ParallelBeam
from sourcebench.traits import Taxon

MU_WATER, MU_AIR = 20.0, 0.02
"""Attenuation of water and of air in 1/m (LoDoPaB-CT, Leuschner et al. 2021)."""

GREY_TO_HU = (HIGH_HU - LOW_HU) / 255
HU_TO_MU = (MU_WATER - MU_AIR) / 1000


@ARTIFACTS.register("projection_noise")
@dataclass(frozen=True)
class ProjectionNoise(Artifact):
    """A slice as a scanner with few photons would have seen it (Source Matters, section 2.1).

    After LoDoPaB-CT (Leuschner et al. 2021): Hounsfield units become attenuations, these line
    integrals p, of which each detector pixel counts a Poisson number of photons with the mean
    n0·exp(-p); filtered back-projection makes an image of -log(counts/n0). The noise that arrives
    in it is stronger where rays cross more body, and is correlated: it shows as streaks.

    Two things besides the photons change an image, at any dose (an infinite `n0` shows them alone):

    - It is projected and reconstructed. That softens edges and grain, and leaves a faint Moiré
      pattern.
    - Attenuations below zero, those under -1001 HU, become zero, as in LoDoPaB-CT.

    At the paper's `n0` = 2e7 these two, not the photons, are most of the artifact: in the soft
    tissue of a chest with a grain of 20 HU the change has a standard deviation of 1.0 grey level,
    of which the photons alone make 0.15. At 4096 it is 10.7, nearly all photons
    (`benchmarks/projection_noise.py`).

    Args:
        n0: photons per detector pixel before the body; LoDoPaB-CT has 4096.
        angles: projections over half a turn.
        width: side of the image in m.
        resolution: side in px at which the slice is scanned; its own, if none is given.
        accelerator: where it is computed, 'auto', 'cpu' or 'gpu'; 'auto' takes a graphics card
            where there is one. All compute the same, to within rounding; but counts are drawn by
            rejection, and the least difference leads to other draws of the same noise. Name one
            for a study whose parts are computed on different machines.
        reference: what images without the artifact are: 'original', as in the paper, or
            'reconstructed', projected and reconstructed as well, so that the photons alone set
            images apart.

    Raises:
        SourceBenchError: a parameter that is not allowed, an image that is not square, or
            'gpu' where there is none.
    """

    title = "Projection noise"
    taxon = Taxon("environment", "imaging")
    is_noise: ClassVar[bool] = True
    uses_card: ClassVar[bool] = True
    # Beside the original the reconstruction stays visible, however many photons there are.
    vanishing: ClassVar = {"n0": math.inf, "reference": "reconstructed"}

    n0: float = parameter(
        2e7, unit="photons", help="photons per detector pixel", low=1, high=1e15, infinite=True
    )
    angles: int = parameter(ANGLES, help="projections over half a turn", low=2, high=10_000)
    width: float = parameter(WIDTH, unit="m", help="side of the image", low=0.01, high=1)
    resolution: int | None = parameter(
        None, unit="px", help="side at which the slice is scanned", low=16, high=1024
    )
    accelerator: str = parameter("auto", help="where it is computed", choices=ACCELERATORS)
    reference: str = parameter(
        "original", help="what images without it are", choices=("original", "reconstructed")
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        # The dataclass is frozen.
        object.__setattr__(self, "has_base", self.reference == "reconstructed")

    @property
    def engine(self) -> str:
        """The processor, by which roundings differ, and which 'auto' leaves to the machine."""
        return f"PyTorch on {self._processor}"

    @property
    def _processor(self) -> Processor:
        return processor_of(self.accelerator, "Artifact 'projection_noise': accelerator")

    def artifact(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the image with noise; `rng` draws the fractions below, then the counts."""
        return self._scan(image, rng, self.n0)

    def base(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the image as it is, or reconstructed without noise; see `reference`."""
        return self._scan(image, rng, math.inf) if self.has_base else image

    def _scan(self, image: Image, rng: np.random.Generator, n0: float) -> Image:
        """Project and reconstruct an image, with `n0` photons per detector pixel."""
        height, width = image.shape
        if height != width:
            raise SourceBenchError(
                f"Artifact 'projection_noise': the image is {height}×{width} px; "
                "crop it to a square, the field that a scanner sees."
            )
        beam = ParallelBeam(height, self.width, self.angles, self._processor)
        # LoDoPaB-CT adds U(0, 1) HU to whole Hounsfield units. Here a grey level g stands for the
        # values in [g, g + 1), a step of 2000/255 HU: drawing one of them undoes the quantisation,
        # and makes the truncation at the end an unbiased rounding.
        grey = image + rng.random(image.shape)
        mu = (grey * GREY_TO_HU + LOW_HU) * HU_TO_MU + MU_WATER
        lines: npt.NDArray[Any] = beam.project(np.maximum(mu, 0))
        if math.isfinite(n0):
            lines = noisy_lines(lines, n0, rng)
        hu = (beam.reconstruct(lines) - MU_WATER) / HU_TO_MU
        drawn: Image = ((np.clip(hu, LOW_HU, HIGH_HU) - LOW_HU) / GREY_TO_HU).astype(np.uint8)
        return drawn


def noisy_lines(lines: Field, n0: float, rng: np.random.Generator) -> npt.NDArray[Any]:
    """Return line integrals as `n0` photons per ray measure them.

    Their variance is about exp(p)/n0, and their bias about exp(p)/(2·n0), while that is small.

    Args:
        lines: line integrals p, any shape, dimensionless.
        n0: photons per ray before the body.
        rng: draws the counts; one below 0.1 counts as 0.1 (LoDoPaB-CT).

    Returns:
        The same shape, float64.
    """
    counts = rng.poisson(n0 * np.exp(-lines.astype(np.float64)))
    noisy: npt.NDArray[Any] = -np.log(np.maximum(counts, LEAST_COUNT) / n0)
    return noisy
