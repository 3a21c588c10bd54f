"""Kinds: what an entry of the config names by `kind`, and the keys that such an entry takes."""

from abc import ABC
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass
from typing import Any, ClassVar, TypeVar

from sourcebench import parameters
from sourcebench.errors import SourceBenchError
from sourcebench.registry import Registry


@dataclass(frozen=True)
class Kind(ABC):
    """What an entry of the config describes. Its keys are fields made by `parameters.parameter`.

    Numbers may be given as text, since YAML reads `2e7` as such.

    Attributes:
        noun: what it is one of, for messages: 'Artifact'.
        kind: the name it is registered under.

    Raises:
        SourceBenchError: a value of the wrong type or out of its range; the message names the
            key, what it got and what is allowed.
    """

    noun: ClassVar[str]
    kind: ClassVar[str]

    def __post_init__(self) -> None:
        parameters.check(f"{self.noun} '{self.kind}'", self)

    def describe(self) -> str:
        """Return the parameters that are set, with their units: 'text R, size 64 px'."""
        return parameters.describe(self)


K = TypeVar("K", bound=Kind)


class Kinds(Registry[type[K]]):
    """A registry of kinds, which makes what entries of the config describe.

    Attributes:
        named_by: the key of an entry that names its kind.
    """

    named_by: ClassVar[str] = "kind"

    def register(self, name: str) -> Callable[[type[K]], type[K]]:
        """Return a class decorator that enters a kind under a name.

        The decorator raises a `SourceBenchError` where the name is taken, or where parameters are
        declared in a class that is no dataclass.
        """
        usual = super().register(name)

        def enter(cls: type[K]) -> type[K]:
            declared = [key for key, each in vars(cls).items() if isinstance(each, Field)]
            if declared:  # a dataclass has taken them away, and left their defaults
                raise SourceBenchError(
                    f"the class {cls.__name__} declares {', '.join(declared)} and needs "
                    "@dataclass(frozen=True) below its @register."
                )
            cls.kind = name
            return usual(cls)

        return enter

    def build(self, kind: str, /, **values: Any) -> K:
        """Return one of a kind, its parameters at the values given, else at their defaults.

        Args:
            kind: a name of the registry.
            values: the parameters.

        Raises:
            SourceBenchError: an unknown kind, an unknown parameter, one that is missing, or a
                value that is not allowed; the message says what is.
        """
        cls = self.get(kind)
        return parameters.make(f"{cls.noun} '{kind}'", cls, values)

    def from_entry(self, entry: Mapping[str, Any], where: str = "") -> K:
        """Return what an entry of the config describes.

        Args:
            entry: its kind by the key `named_by`, and the kind's parameters.
            where: the entry's key, such as 'confounders.tag', for messages.

        Raises:
            SourceBenchError: as `build`.
        """
        values = {str(key): value for key, value in entry.items()}  # YAML's may be others
        kind = values.pop(self.named_by)
        try:
            return self.build(kind, **values)
        except parameters.WrongParameter as error:
            raise SourceBenchError(error.within(where) if where else str(error)) from error
        except SourceBenchError as error:
            raise SourceBenchError(f"{where}: {error}" if where else str(error)) from error
