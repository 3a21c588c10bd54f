"""Motion blur: a body that moves during the exposure."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sourcebench.artifacts.base import ARTIFACTS, Artifact, scale_of
from sourcebench.artifacts.blurring import line, spread
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon


@ARTIFACTS.register("motion_blur")
@dataclass(frozen=True)
class MotionBlur(Artifact):
    """Every point becomes a line, as a body shows it that moves at a steady speed.

    ImageNet-C (Hendrycks and Dietterich 2019) draws a Gaussian's tail to one side instead, which
    moves the image as well as blurring it. Severities are the lengths of lines that have the
    standard deviations of its tails (radius and σ 10 and 3, 15 and 5, 15 and 8, 15 and 12, 20 and
    15 px of 224); its angles are here, too. What *Silent Failures* (Bungert et al. 2023) blurred
    by is not published.

    Args:
        length: of the line, in px on a 1024² image; it scales with the image's side.
        angle: the most that the line is turned from the horizontal; each image has an angle of its
            own, equally likely anywhere up to this, to either side.
    """

    title = "Motion blur"
    taxon = Taxon("environment", "imaging")
    channelwise: ClassVar[bool] = False
    vanishing: ClassVar = {"length": 0}
    severities: ClassVar = tuple({"length": length} for length in (30, 49, 78, 109, 138))

    length: float = parameter(
        78, unit="px", help="length of the line on a 1024² image", low=0, high=1024
    )
    angle: float = parameter(
        45, unit="degrees", help="largest angle with the horizontal", low=0, high=90
    )

    def artifact(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the blurred image; `rng` draws the angle."""
        angle = rng.uniform(-self.angle, self.angle)
        return spread(image, line(self.length * scale_of(image), angle))
