"""A letter on the film, graded by how large it is and how near to the middle."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from sourcebench.artifacts.base import ARTIFACTS, REFERENCE_SIDE, Artifact
from sourcebench.artifacts.tag import written
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon


@ARTIFACTS.register("letter")
@dataclass(frozen=True)
class Letter(Artifact):
    """A white letter on the film, as *Silent Failures* (Bungert et al. 2023) put one on X-rays.

    Which letter, how large and where is not published. Severities are our choice: larger from one
    to the next, and nearer to the middle. It is drawn as the kind `tag` is, which is Source
    Matters' letter and has no severities.

    Args:
        text: what is written.
        size: font size, in px on a 1024² image; it scales with the image's side.
        x: left end of the text, likewise.
        y: top of the line (the font's ascender, not the letter's edge), likewise.
    """

    title = "Letter"
    taxon = Taxon("environment", "external")
    vanishing: ClassVar = {"x": REFERENCE_SIDE, "y": REFERENCE_SIDE}  # where the image ends
    severities: ClassVar = tuple(
        {"size": size, "x": place, "y": place}
        for size, place in ((32, 48), (64, 96), (128, 160), (192, 240), (256, 320))
    )

    text: str = parameter("L", help="what is written")
    size: float = parameter(128, unit="px", help="font size on a 1024² image", low=1, high=1024)
    x: float = parameter(160, unit="px", help="left end on a 1024² image", low=0, high=1024)
    y: float = parameter(160, unit="px", help="top on a 1024² image", low=0, high=1024)

    def artifact(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the image with the text on it; nothing about it is random."""
        return written(image, self.text, self.size, (self.x, self.y))
