"""What an artifact is: a place in the MICCAT taxonomy, parameters, and what it does to an image."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from sourcebench.imaging import Image
from sourcebench.traits import Trait, Traits

REFERENCE_SIDE = 1024
"""Side, in px, of the radiographs on which lengths in px are given; they scale with the side."""


def scale_of(image: Image) -> float:
    """Return how many px of an image, H×W or H×W×C, make a px of one of `REFERENCE_SIDE`²."""
    return float(min(image.shape[:2])) / REFERENCE_SIDE


def rounded(levels: npt.NDArray[Any]) -> Image:
    """Return grey levels of any shape as uint8: the nearest whole ones from 0 to 255."""
    whole: Image = np.clip(np.rint(levels), 0, 255).astype(np.uint8)
    return whole


@dataclass(frozen=True)
class Artifact(Trait):
    """A change of an image.

    Attributes:
        vanishing: values of its parameters at which the artifact vanishes, such as a noise's
            infinite dose: then images with and without it are the same, pixel for pixel. A test
            holds every kind to that, since whatever remains would be a shortcut of its own.
        severities: values of its parameters from the least severe to the most, five of them, which
            a shift names by their numbers from 1 on; none, where nobody has graded the kind.
        channelwise: whether it acts on one channel at a time, with random draws for each; else it
            is handed all of them at once, for where channels have to agree.
        has_base: whether images *without* the artifact are altered as well, by `base`.
        is_noise: whether it is noise, which the paper's Figure 4 is about.
        uses_card: whether it computes on a graphics card where there is one.
    """

    noun = "Artifact"
    vanishing: ClassVar[Mapping[str, Any]] = {}
    severities: ClassVar[Sequence[Mapping[str, Any]]] = ()
    channelwise: ClassVar[bool] = True
    has_base: ClassVar[bool] = False
    is_noise: ClassVar[bool] = False
    uses_card: ClassVar[bool] = False

    @property
    def engine(self) -> str:
        """What computes it on this machine, if that makes a difference to the pixels."""
        return "cpu"

    @property
    def resolution(self) -> int | None:
        """Side in px to which images are resized before it acts; None is the original's size."""
        return None

    def needs_base(self, input_size: int) -> bool:
        """Tell whether images without the artifact are others than the task's own.

        They are where `base` alters them, and where the artifact is drawn at another size than the
        network's input: all images must go by way of that size, or else the pixels that a resize
        picks would set them apart.

        Args:
            input_size: side of the network's input in px.
        """
        return self.has_base or self.resolution not in (None, input_size)

    @abstractmethod
    def artifact(self, image: Image, rng: np.random.Generator) -> Image:
        """Return an image with the artifact.

        Args:
            image: H×W, uint8, grey levels 0 to 255; it stays as it is. Of an image of several
                channels it is one of them: they come one by one, with a generator each. Where
                the kind is not `channelwise`, it is the image as it is, H×W or H×W×C.
            rng: where every random draw comes from. `base` gets one in the same state, so that what
                both draw first is the same; for draws of its own it takes `rng.spawn(1)`.

        Returns:
            The same shape, uint8, grey levels 0 to 255.
        """

    def base(self, image: Image, rng: np.random.Generator) -> Image:
        """Return an image as it is without the artifact: unchanged, unless `has_base`.

        Arguments and result are as in `artifact`.
        """
        return image


ARTIFACTS: Traits[Artifact] = Traits("artifact")
