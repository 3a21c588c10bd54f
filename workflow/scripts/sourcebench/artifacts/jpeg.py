"""JPEG: an image that was compressed, and lost by it."""

import math
from dataclasses import dataclass
from io import BytesIO
from typing import ClassVar

import numpy as np
from PIL import Image as PIL

from sourcebench.artifacts.base import ARTIFACTS, Artifact
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon


@ARTIFACTS.register("jpeg")
@dataclass(frozen=True)
class Jpeg(Artifact):
    """JPEG at a quality of libjpeg's, written and read again.

    Three channels are red, green and blue, and lose half of their colour's resolution; of any other
    number each is compressed by itself. Severities are those of MedMNIST-C (Di Salvo et al. 2024)
    for ChestMNIST.

    Args:
        quality: 1 to 100, rounded; infinite, it leaves images as they are, which 100 does not.
        resolution: side in px at which it is compressed, in blocks of 8 px; the image's own, if
            none is given.
    """

    title = "JPEG"
    taxon = Taxon("environment", "imaging")
    channelwise: ClassVar[bool] = False
    vanishing: ClassVar = {"quality": math.inf}
    severities: ClassVar = tuple({"quality": quality} for quality in (50, 30, 15, 10, 7))

    quality: float = parameter(15, help="libjpeg's quality", low=1, high=100, infinite=True)
    resolution: int | None = parameter(
        None, unit="px", help="side at which it is compressed", low=1, high=1024
    )

    def artifact(self, image: Image, rng: np.random.Generator) -> Image:
        """Return what is left of the image; nothing about it is random."""
        if self.quality == math.inf:
            return image
        if image.ndim == 2 or image.shape[-1] == 3:
            return self._compressed(image)
        each = [self._compressed(grey) for grey in np.moveaxis(image, -1, 0)]
        return np.stack(each, axis=-1)

    def _compressed(self, image: Image) -> Image:
        """Return an image, H×W or H×W×3, that was a JPEG."""
        file = BytesIO()
        PIL.fromarray(image).save(file, "JPEG", quality=round(self.quality))
        return np.asarray(PIL.open(file))
