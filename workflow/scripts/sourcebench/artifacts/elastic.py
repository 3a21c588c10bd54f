"""Elastic transformation: a picture on rubber."""

import math
from dataclasses import dataclass
from typing import ClassVar

import cv2
import numpy as np
import numpy.typing as npt

from sourcebench.artifacts.base import ARTIFACTS, Artifact, rounded, scale_of
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon

FINENESS = 4
"""Points of the grid that noise is drawn on, in a standard deviation of what smooths it."""


@ARTIFACTS.register("elastic")
@dataclass(frozen=True)
class Elastic(Artifact):
    """Every pixel is moved by smooth random noise, all channels alike (Simard et al. 2003).

    Severities are our choice. Those of ImageNet-C (Hendrycks and Dietterich 2019) smooth over a
    hundredth of the side only, and fold the edges of a chest X-ray into each other; what *Silent
    Failures* (Bungert et al. 2023) deformed by is not published. At the last of ours, 0.2 %
    of the image is folded.

    Args:
        displacement: standard deviation of the noise along each axis, in px on a 1024² image; it
            scales with the image's side.
        smoothness: standard deviation of the Gaussian that the noise is smoothed with, likewise.
    """

    title = "Elastic"
    taxon = Taxon("environment", "imaging")
    channelwise: ClassVar[bool] = False
    vanishing: ClassVar = {"displacement": 0}
    severities: ClassVar = tuple({"displacement": sd} for sd in (3, 6, 9, 12, 15))

    displacement: float = parameter(
        9, unit="px", help="SD of the displacement on a 1024² image", low=0, high=512
    )
    smoothness: float = parameter(
        40, unit="px", help="SD of the smoothing on a 1024² image", low=0.1, high=512
    )

    def artifact(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the image with its pixels moved; what is beyond its edge is its mirror."""
        scale = scale_of(image)
        field = displaced(image.shape[:2], self.smoothness * scale, rng)
        field *= self.displacement * scale
        rows, columns = np.indices(image.shape[:2], np.float32)
        at = columns + field[0], rows + field[1]
        moved = [
            cv2.remap(grey, *at, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101)
            for grey in np.moveaxis(np.atleast_3d(image).astype(np.float32), -1, 0)
        ]
        return rounded(np.stack(moved, axis=-1).reshape(image.shape))


def displaced(
    shape: tuple[int, ...], smoothness: float, rng: np.random.Generator
) -> npt.NDArray[np.float32]:
    """Return smooth noise of standard deviation about 1, 2×H×W: one field for each axis.

    What is smooth is drawn on a grid of fewer points, and interpolated.

    Args:
        shape: H and W.
        smoothness: standard deviation of the Gaussian, px.
        rng: draws normal noise, which the Gaussian smooths.
    """
    step = max(1, int(smoothness / FINENESS))
    height, width = shape
    smoothness /= step
    side = 2 * math.ceil(4 * smoothness) + 1
    weights = cv2.getGaussianKernel(side, smoothness, cv2.CV_32F)
    # Independent noise that is weighted by w has the variance sum(w²): here once for each axis.
    weights = weights / np.sqrt((weights**2).sum())
    noise = rng.standard_normal((2, -(-height // step), -(-width // step)), np.float32)
    fields = [cv2.sepFilter2D(each, cv2.CV_32F, weights, weights) for each in noise]
    if step > 1:
        fields = [cv2.resize(each, (width, height), None, 0, 0, cv2.INTER_CUBIC) for each in fields]
    return np.stack(fields)
