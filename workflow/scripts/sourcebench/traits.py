"""What may go with a label: an artifact in an image, or an attribute of it or of its patient.

This module says where such a thing stands in the taxonomy of Source Matters (MICCAI 2024, section
2.1 and Fig. 1). *How* an image gets it is said in `artifacts`, and who has it in `attributes`;
*when* is said by a study: with the label in training (a confounder), or at test alone (a shift).
"""

from abc import ABC
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

from sourcebench import parameters
from sourcebench.errors import SourceBenchError
from sourcebench.registry import Registry

Level = Literal["patient", "environment"]
Family = Literal["demographic", "anatomical", "external", "imaging"]

MICCAT: dict[Level, tuple[Family, ...]] = {
    "patient": ("demographic", "anatomical"),
    "environment": ("external", "imaging"),
}
"""The families of each level (Fig. 1)."""


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
class Trait(ABC):
    """An artifact or an attribute; its parameters are fields made by `parameters.parameter`.

    Numbers may be given as text, since YAML reads `2e7` as such.

    Attributes:
        noun: what it is one of, for messages: 'Artifact'.
        kind: the name it is registered under.
        title: its name for people.
        taxon: its place in MICCAT.

    Raises:
        SourceBenchError: a parameter of the wrong type or out of its range; the message names it,
            what it got and what is allowed.
    """

    noun: ClassVar[str]
    kind: ClassVar[str]
    title: ClassVar[str]  # of the kind; an entry of the config may say another
    taxon: ClassVar[Taxon]

    def __post_init__(self) -> None:
        parameters.check(f"{self.noun} '{self.kind}'", self)

    def describe(self) -> str:
        """Return the parameters that are set, with their units: 'text R, size 64 px'."""
        return parameters.describe(self)


T = TypeVar("T", bound=Trait)


class Kinds(Registry[type[T]]):
    """A registry of artifacts or of attributes, which makes them from entries of the config."""

    def register(self, name: str) -> Callable[[type[T]], type[T]]:
        """Return a class decorator that enters a kind under a name."""
        usual = super().register(name)

        def enter(cls: type[T]) -> type[T]:
            cls.kind = name
            return usual(cls)

        return enter

    def build(self, kind: str, /, *, title: str | None = None, **values: Any) -> T:
        """Return one of a kind, its parameters at the values given, else at their defaults.

        Args:
            kind: a name of the registry.
            title: its name for people, instead of its kind's.
            values: the parameters.

        Raises:
            SourceBenchError: an unknown kind, an unknown parameter, or a value that is not
                allowed; the message says what is.
        """
        made = parameters.make(f"{self.kind.capitalize()} '{kind}'", self.get(kind), values)
        if title is not None:
            object.__setattr__(made, "title", title)  # the dataclass is frozen
        return made

    def from_entry(self, entry: Mapping[str, Any]) -> T:
        """Return what an entry of the config describes: `kind`, parameters; errors as `build`."""
        values = dict(entry)
        return self.build(values.pop("kind"), **values)
