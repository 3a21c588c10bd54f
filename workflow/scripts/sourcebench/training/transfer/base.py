"""What a transfer is: which weights a network starts with, which are trained, and how fast."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar

from sourcebench import parameters
from sourcebench.registry import Registry

if TYPE_CHECKING:
    from torch import nn

    from sourcebench.models.classifier import Classifier

Groups = list[dict[str, Any]]


@dataclass(frozen=True)
class Transfer:
    """A way to transfer; its parameters are fields declared with `parameters.parameter`.

    Attributes:
        kind: the name it is registered under.
        title: its name for people.

    Raises:
        SourceBenchError: a parameter of the wrong type or out of its range; the message names it,
            what it got and what is allowed.
    """

    kind: ClassVar[str]
    title: ClassVar[str]

    def __post_init__(self) -> None:
        parameters.check(f"Transfer '{self.kind}'", self)

    def describe(self) -> str:
        """Return its name and its parameters: 'Hybrid transfer (keep 0.5)'."""
        values = parameters.describe(self)
        return f"{self.title} ({values})" if values else self.title

    def prepare(self, network: Classifier, fresh: Callable[[], nn.Module]) -> None:
        """Alter a network with a source's weights to what training starts from.

        Args:
            network: the classifier; it is altered in place.
            fresh: returns a backbone of the same structure with random weights.
        """

    def settle(self, network: Classifier) -> None:
        """Put into evaluation mode what stays in it while the rest is trained."""

    def groups(self, network: Classifier, learning_rate: float) -> Groups:
        """Return what is trained, as an optimiser takes it.

        Args:
            network: the classifier.
            learning_rate: the recipe's.

        Returns:
            Dicts with `params` (parameters) and `lr` (the learning rate of these).
        """
        return [{"params": list(network.parameters()), "lr": learning_rate}]


TRANSFERS: Registry[type[Transfer]] = Registry("kind of transfer")

T = TypeVar("T", bound=Transfer)


def register(kind: str) -> Callable[[type[T]], type[T]]:
    """Return a class decorator that enters a transfer under the name `kind`."""

    def enter(cls: type[T]) -> type[T]:
        cls.kind = kind
        TRANSFERS.register(kind)(cls)
        return cls

    return enter


def build(kind: str, /, **values: Any) -> Transfer:
    """Return the transfer of a kind, its parameters at the values given, else at their defaults.

    Raises:
        SourceBenchError: an unknown kind, an unknown parameter, or a value that is not allowed;
            the message says what is.
    """
    return parameters.make(f"Transfer '{kind}'", TRANSFERS.get(kind), values)


def from_entry(entry: Mapping[str, Any]) -> Transfer:
    """Return the transfer of an entry of `transfer` in the config; errors as in `build`."""
    values = dict(entry)
    return build(values.pop("kind"), **values)
