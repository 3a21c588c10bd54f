"""A tag: a letter that a device or a technician put on the film."""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import ClassVar

import numpy as np
from PIL import Image as PIL
from PIL import ImageDraw, ImageFont

from sourcebench.artifacts.base import ARTIFACTS, REFERENCE_SIDE, Artifact, scale_of
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon

WHITE = 255


@ARTIFACTS.register("tag")
@dataclass(frozen=True)
class Tag(Artifact):
    """White letters in the upper left (Source Matters, sections 2.1 and 2.2, Fig. 2a).

    They stand away from the edges, so that no augmentation moves them out of the image. The
    reference asks matplotlib for its default sans-serif in the weight 'light'. Matplotlib carries
    no such cut and gives the regular DejaVu Sans, unless the machine has a light one installed;
    here the letter is that of the file which matplotlib carries, on any machine.

    Args:
        text: what is written.
        size: font size, in px on a 1024² image; it scales with the image's side.
        x: left end of the text, in px on a 1024² image.
        y: top of the line (the font's ascender, not the letter's edge), in px on a 1024² image.

    Raises:
        SourceBenchError: a parameter that is not allowed.
    """

    title = "Tag"
    taxon = Taxon("environment", "external")
    vanishing: ClassVar = {"x": REFERENCE_SIDE, "y": REFERENCE_SIDE}  # where the image ends

    text: str = parameter("R", help="what is written")
    size: float = parameter(64, unit="px", help="font size on a 1024² image", low=1, high=1024)
    x: float = parameter(200, unit="px", help="left end on a 1024² image", low=0, high=1024)
    y: float = parameter(200, unit="px", help="top on a 1024² image", low=0, high=1024)

    def artifact(self, image: Image, rng: np.random.Generator) -> Image:
        """Return the image with the text on it; nothing about it is random."""
        return written(image, self.text, self.size, (self.x, self.y))


def written(image: Image, text: str, size: float, place: tuple[float, float]) -> Image:
    """Return an image with white text on it.

    Args:
        image: H×W, uint8.
        text: what is written.
        size: font size, in px on a 1024² image; it scales with the image's side.
        place: left end and top of the line, likewise.

    Returns:
        H×W, uint8.
    """
    scale = scale_of(image)
    if size * scale < 1:
        return image  # smaller than any letter can be
    canvas = PIL.fromarray(image)
    left_top = (place[0] * scale, place[1] * scale)
    ImageDraw.Draw(canvas).text(left_top, text, fill=WHITE, font=_font(size * scale))
    return np.asarray(canvas)


@cache
def _font(size: float) -> ImageFont.FreeTypeFont:
    """Return matplotlib's own DejaVu Sans, its default sans-serif, at a size in px."""
    import matplotlib  # not before: whoever plans a study imports this module

    path = Path(matplotlib.get_data_path(), "fonts", "ttf", "DejaVuSans.ttf")
    return ImageFont.truetype(path, size)
