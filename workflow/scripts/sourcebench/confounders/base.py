"""What a confounder is: its place in the MICCAT taxonomy, its parameters, what it does to an image.

The taxonomy is that of Source Matters (MICCAI 2024), section 2.1 and Fig. 1.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

import numpy as np

from sourcebench import parameters
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.registry import Registry

Level = Literal["patient", "environment"]
Family = Literal["demographic", "anatomical", "external", "imaging"]

MICCAT: dict[Level, tuple[Family, ...]] = {
    "patient": ("demographic", "anatomical"),
    "environment": ("external", "imaging"),
}
"""The families of each level (Fig. 1)."""

REFERENCE_SIDE = 1024
"""Side, in px, of the radiographs on which lengths in px are given; they scale with the side."""


@dataclass(frozen=True)
class Taxon:
    """A place in MICCAT, the Medical Imaging Contextualized Confounder Taxonomy.

    Args:
        level: 'patient' or 'environment'.
        family: 'demographic' or 'anatomical' at the patient level, 'external' or 'imaging' at the
            environment level.

    Raises:
        SourceBenchError: the taxonomy has no such level, or no such family at that level.
    """

    level: Level
    family: Family

    def __post_init__(self) -> None:
        if self.family not in MICCAT.get(self.level, ()):
            places = "; ".join(f"{level}: {', '.join(of)}" for level, of in MICCAT.items())
            raise SourceBenchError(f"MICCAT has no place '{self}'; its families are {places}.")

    def __str__(self) -> str:
        return f"{self.level} / {self.family}"


@dataclass(frozen=True)
class Confounder(ABC):
    """A confounder; its parameters are fields declared with `parameters.parameter`.

    Numbers may be given as text, since YAML reads `2e7` as such.

    Attributes:
        kind: the name it is registered under.
        title: its name for people.
        taxon: its place in MICCAT.

    Raises:
        SourceBenchError: a parameter of the wrong type or out of its range; the message names it,
            what it got and what is allowed.
    """

    kind: ClassVar[str]
    title: ClassVar[str]  # of the kind; an entry may say another
    taxon: ClassVar[Taxon]

    def __post_init__(self) -> None:
        parameters.check(f"Confounder '{self.kind}'", self)

    def describe(self) -> str:
        """Return the parameters that are set, with their units: 'text R, size 64 px'."""
        return parameters.describe(self)


@dataclass(frozen=True)
class PixelConfounder(Confounder):
    """A confounder that is drawn into the images.

    Attributes:
        vanishing: values of its parameters at which the artifact vanishes, such as a noise's
            infinite dose: then images with and without it are the same, pixel for pixel. A test
            holds every kind to that, since whatever remains would be a shortcut of its own.
        has_base: whether images *without* the artifact are altered as well, by `base`.
        is_noise: whether it is noise, which the paper's Figure 4 is about.
        uses_card: whether it computes on a graphics card where there is one.
    """

    vanishing: ClassVar[Mapping[str, Any]] = {}
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
                channels it is one of them: they come one by one, with a generator each.
            rng: where every random draw comes from. `base` gets one in the same state, so that what
                both draw first is the same; for draws of its own it takes `rng.spawn(1)`.

        Returns:
            H×W, uint8, grey levels 0 to 255.
        """

    def base(self, image: Image, rng: np.random.Generator) -> Image:
        """Return an image as it is without the artifact: unchanged, unless `has_base`.

        Arguments and result are as in `artifact`.
        """
        return image


@dataclass(frozen=True)
class SamplingConfounder(Confounder):
    """A confounder that nothing is drawn for: the sampling of the images is the confounder.

    Args:
        column: the samples' column that goes with the label.
        carrier: its value in the confounded images.
        other: its value in all others.

    Raises:
        SourceBenchError: `carrier` and `other` are the same, or one of the three is empty.
    """

    column: str = parameters.parameter("sex", help="column of the samples that goes with the label")
    carrier: str = parameters.parameter("F", help="its value in the confounded images")
    other: str = parameters.parameter("M", help="its value in all other images")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.carrier == self.other:
            raise SourceBenchError(
                f"Confounder '{self.kind}': carrier and other are both '{self.carrier}'; "
                "give two different values of the column."
            )


REGISTRY: Registry[type[Confounder]] = Registry("confounder")

C = TypeVar("C", bound=Confounder)


def register(kind: str) -> Callable[[type[C]], type[C]]:
    """Return a class decorator that enters a confounder under the name `kind`."""

    def enter(cls: type[C]) -> type[C]:
        cls.kind = kind
        REGISTRY.register(kind)(cls)
        return cls

    return enter


def build(kind: str, /, *, title: str | None = None, **values: Any) -> Confounder:
    """Return the confounder of a kind, its parameters at the values given, else at their defaults.

    Args:
        kind: a name in `REGISTRY`.
        title: its name for people, instead of its kind's.
        values: the parameters.

    Raises:
        SourceBenchError: an unknown kind, an unknown parameter, or a value that is not allowed;
            the message says what is.
    """
    confounder = parameters.make(f"Confounder '{kind}'", REGISTRY.get(kind), values)
    if title is not None:
        object.__setattr__(confounder, "title", title)  # the dataclass is frozen
    return confounder


def from_entry(entry: Mapping[str, Any]) -> Confounder:
    """Return the confounder of an entry of `confounders` in the config; errors as in `build`."""
    values = dict(entry)
    return build(values.pop("kind"), **values)
