"""Registries: a new confounder, source, metric or figure is one new file that registers itself."""

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Iterator
from typing import Generic, TypeVar

from sourcebench.errors import SourceBenchError, nearest

T = TypeVar("T")


class Registry(Generic[T]):
    """Names and what they stand for, all of one kind; as a collection, its names.

    Args:
        kind: what the entries are, for messages ("confounder").
    """

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self._entries: dict[str, T] = {}

    def register(self, name: str) -> Callable[[T], T]:
        """Return a decorator that enters what it decorates under `name`.

        The decorator raises a `SourceBenchError` where the name is taken.
        """

        def enter(entry: T) -> T:
            if name in self._entries:
                raise SourceBenchError(
                    f"the name '{name}' is that of another {self.kind}; choose another."
                )
            self._entries[name] = entry
            return entry

        return enter

    def get(self, name: str) -> T:
        """Return the entry called `name`.

        Raises:
            SourceBenchError: there is none; the message lists those there are.
        """
        if name not in self._entries:
            known = ", ".join(self.names())
            near = nearest(name, self._entries)
            raise SourceBenchError(f"Unknown {self.kind} '{name}'{near}; there are: {known}.")
        return self._entries[name]

    def __contains__(self, name: object) -> bool:
        return name in self._entries

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def names(self) -> list[str]:
        """Return all names, in the order of registration."""
        return list(self._entries)


def discover(package: str, path: Iterable[str]) -> None:
    """Import every module of a package, so that what they register is known.

    Called by the package's `__init__` with its `__name__` and `__path__`.
    """
    for module in pkgutil.iter_modules(path):
        importlib.import_module(f"{package}.{module.name}")
