"""What may go with a label: an artifact in an image, or an attribute of it or of its patient.

This module says where such a thing stands in the taxonomy of Source Matters (MICCAI 2024, section
2.1 and Fig. 1). *How* an image gets it is said in `artifacts`, and who has it in `attributes`;
*when* is said by a study: with the label in training (a confounder), or at test alone (a shift).
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, TypeVar

from sourcebench.errors import SourceBenchError
from sourcebench.kinds import Kind, Kinds

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
class Trait(Kind):
    """An artifact or an attribute.

    Attributes:
        title: its name for people.
        taxon: its place in MICCAT.
    """

    title: ClassVar[str]  # of the kind; an entry of the config may say another
    taxon: ClassVar[Taxon]


T = TypeVar("T", bound=Trait)


class Traits(Kinds[T]):
    """A registry of artifacts or of attributes, whose entries in the config may have a title.

    A confounder may be either by the name of its kind, so that no two registries share a name.
    """

    _all: ClassVar[list["Traits[Any]"]] = []

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self._all.append(self)

    def register(self, name: str) -> Callable[[type[T]], type[T]]:
        """Return a class decorator that enters a kind under a name, as `Kinds.register`.

        Raises:
            SourceBenchError: a kind of another registry of traits has the name.
        """
        for other in self._all:
            if other is not self and name in other.names():
                raise SourceBenchError(
                    f"the name '{name}' is that of an {other.kind}; choose another."
                )
        return super().register(name)

    def build(self, kind: str, /, *, title: str | None = None, **values: Any) -> T:
        """Return one of a kind, as `Kinds.build`.

        Args:
            kind: a name of the registry.
            title: its name for people, instead of its kind's.
            values: the parameters.
        """
        made = super().build(kind, **values)
        if title is not None:
            object.__setattr__(made, "title", title)  # the dataclass is frozen
        return made
