"""Denoising: an ideal low-pass filter."""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import ClassVar

import numpy as np
import numpy.typing as npt
from scipy import fft

from sourcebench.artifacts.base import ARTIFACTS, REFERENCE_SIDE, Artifact
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon

REFERENCE_DIAMETER = 500.0
"""Diameter, in px, of the circle in the reference's code; the paper says *radius* 500 px."""

ROUNDING = 1e-6
"""Grey levels. The transform is exact to about 1e-12; without this hair a pixel that comes back as
99.9999999999 would be cut to 99, by an error that differs between FFT libraries."""


@ARTIFACTS.register("denoise")
@dataclass(frozen=True)
class Denoise(Artifact):
    """Keep the frequencies within a circle of the centred 2-D DFT (Source Matters, Eq. 1).

    The filtered image is real, is clipped to 0 … 255 and its fractions are cut off.

    Args:
        radius: D0 of Eq. 1, in px on the DFT of a 1024² image; it scales with the side, that is,
            it is a frequency in cycles per 1024 pixels.
        diameter: twice that. One of the two at most; neither is a diameter of 500 px.

    Raises:
        SourceBenchError: both are given, or a value out of range (with a circle that holds the
            whole square nothing would be filtered; an infinite one says so).
    """

    title = "Denoising"
    taxon = Taxon("environment", "imaging")
    vanishing: ClassVar = {"diameter": math.inf}

    radius: float | None = parameter(
        None,
        unit="px",
        help="cutoff frequency on the DFT of a 1024² image",
        low=1,
        high=724,
        infinite=True,
    )
    diameter: float | None = parameter(
        None,
        unit="px",
        help="twice the cutoff; 500 if neither is given",
        low=2,
        high=1448,
        infinite=True,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.radius is not None and self.diameter is not None:
            raise SourceBenchError(
                f"Artifact 'denoise': radius is {self.radius:g} px and diameter is "
                f"{self.diameter:g} px; give one of the two only."
            )
        if self.radius is None and self.diameter is None:
            object.__setattr__(self, "diameter", REFERENCE_DIAMETER)  # the dataclass is frozen

    @property
    def cutoff(self) -> float:
        """The radius, in px on the DFT of a 1024² image, however it was given."""
        return (self.diameter or 0.0) / 2 if self.radius is None else self.radius

    def artifact(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the filtered image; nothing about it is random."""
        height, width = image.shape
        keep = _circle(height, width, self.cutoff)
        # An image is real, so half of the spectrum says everything, and of that half only the
        # columns that reach into the circle need transforming: a fifth of the time of fft2.
        spectrum = fft.rfft(image.astype(np.float64), axis=1)[:, : keep.shape[1]]
        spectrum = fft.fft(spectrum, axis=0, overwrite_x=True)
        spectrum *= keep
        spectrum = fft.ifft(spectrum, axis=0, overwrite_x=True)
        filtered = fft.irfft(spectrum, n=width, axis=1)
        grey: Image = np.clip(filtered + ROUNDING, 0, 255).astype(np.uint8)
        return grey


@lru_cache(maxsize=8)
def _circle(height: int, width: int, cutoff: float) -> npt.NDArray[np.bool_]:
    """Return which frequencies to keep: height × columns, up to the last column with any."""
    rows = fft.fftfreq(height, 1 / REFERENCE_SIDE)  # cycles per 1024 px
    columns = fft.rfftfreq(width, 1 / REFERENCE_SIDE)
    columns = columns[columns <= cutoff]
    keep: npt.NDArray[np.bool_] = rows[:, None] ** 2 + columns**2 <= cutoff**2
    return keep
