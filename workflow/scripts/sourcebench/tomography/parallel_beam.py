"""Computed tomography in two steps: an image's line integrals, and the image back from them."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
from scipy import fft

from sourcebench.accelerators import Processor

if TYPE_CHECKING:
    from sourcebench.tomography.joseph import Joseph

Field = npt.NDArray[np.float32]

WIDTH = 0.26
"""Metres: the side of LoDoPaB-CT's images (Leuschner et al. 2021)."""

ANGLES = 1000
"""Projections over half a turn, as in LoDoPaB-CT."""


@dataclass(frozen=True)
class ParallelBeam:
    """A scanner with parallel rays, in the plane of the image, over half a turn.

    The geometry is that of LoDoPaB-CT (Leuschner et al. 2021): detector pixels are as wide as the
    image's, and as many as cover its diagonal. There are 513 of them for an image of 362².

    Rays are interpolated linearly between the two pixels that they pass on each row or column
    (Joseph's method, as ASTRA's projector 'linear' has it). Back along rays, any such pair leaves
    a Moiré pattern in an X through the centre; this leaves about half as much as intersecting rays
    with pixels. Integrating over the rays' width would leave next to none.

    Args:
        side: the image's side in px.
        width: the image's side in m.
        angles: projections, equally spaced over [0, π).
        device: where it is computed: 'cpu', 'cuda' or 'mps'.
    """

    side: int
    width: float = WIDTH
    angles: int = ANGLES
    device: Processor = "cpu"

    @property
    def pitch(self) -> float:
        """Side of an image's pixel, and width of a detector's, in m."""
        return self.width / self.side

    @property
    def detectors(self) -> int:
        """Detector pixels: the image's diagonal in px, rounded up to the next odd number."""
        return math.ceil(self.side * math.sqrt(2)) // 2 * 2 + 1

    def project(self, mu: npt.NDArray[Any]) -> Field:
        """Return the line integrals of an image.

        Args:
            mu: attenuation in 1/m, side×side.

        Returns:
            angles×detectors, float32, dimensionless. The ray of angle θ and detector offset s from
            the centre goes through the points x cos θ + y sin θ = s, y pointing up.
        """
        return self._rays.project(np.asarray(mu, np.float32)) * np.float32(self.pitch)

    def backproject(self, sinogram: npt.NDArray[Any]) -> Field:
        """Return the adjoint of `project`: angles×detectors to side×side, float32, in m."""
        lines = np.asarray(sinogram, np.float32)
        return self._rays.backproject(lines) * np.float32(self.pitch)

    def reconstruct(self, sinogram: npt.NDArray[Any]) -> Field:
        """Return the image of line integrals by filtered back-projection with the Ram-Lak filter.

        Args:
            sinogram: line integrals, angles×detectors.

        Returns:
            Attenuation in 1/m, side×side, float32.
        """
        scale = np.pi / (self.angles * self.pitch**2)
        return self.backproject(ram_lak(sinogram)) * np.float32(scale)

    @property
    def _rays(self) -> "Joseph":
        from sourcebench.tomography.joseph import Joseph  # PyTorch takes a second

        return Joseph(self.side, self.detectors, self.angles, self.device)


def ram_lak(lines: npt.NDArray[Any]) -> Field:
    """Filter the rows of a sinogram with a ramp up to the highest frequency that they have.

    The filter is sampled in space (Kak & Slaney 1988, chapter 3, equation 61), where the ramp's
    zero at frequency 0 takes nothing off the mean, and is applied as a linear convolution.

    Args:
        lines: angles×detectors, samples that lie 1 apart.

    Returns:
        The same shape, float32.
    """
    detectors = lines.shape[1]
    size = fft.next_fast_len(2 * detectors - 1, real=True)
    kernel = np.zeros(size)
    kernel[0] = 1 / 4
    odd = np.arange(1, detectors, 2)
    kernel[odd] = kernel[-odd] = -1 / (np.pi * odd) ** 2
    response = fft.rfft(kernel).astype(np.complex64)
    spectrum = fft.rfft(np.asarray(lines, np.float32), size, axis=1)
    filtered: Field = fft.irfft(spectrum * response, size, axis=1)[:, :detectors]
    return filtered
