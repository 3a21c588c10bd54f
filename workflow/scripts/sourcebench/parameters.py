"""Parameters with units: dataclass fields that know what they measure and what they may be."""

import dataclasses
import math
import typing
from collections.abc import Mapping
from typing import Any, TypeVar

from sourcebench.errors import SourceBenchError, nearest

T = TypeVar("T")


def parameter(
    default: Any,
    *,
    unit: str = "",
    help: str,
    low: float = -math.inf,
    high: float = math.inf,
    infinite: bool = False,
    choices: tuple[str, ...] = (),
) -> Any:
    """Declare a parameter: a field of a dataclass, of type `str`, `int` or `float`, or None.

    Args:
        default: the value if none is given.
        unit: its unit, "" if it has none.
        help: one phrase for people.
        low: the smallest number allowed.
        high: the largest number allowed.
        infinite: whether infinity (in YAML: `.inf`) is allowed, too, whatever `high` says.
        choices: the words allowed; any, if none are named.
    """
    about = {"unit": unit, "help": help, "low": low, "high": high}
    about |= {"infinite": infinite, "choices": choices}
    return dataclasses.field(default=default, metadata=about)


def check(owner: str, parameters: Any) -> None:
    """Check the fields of a frozen dataclass, and turn numbers given as text into numbers.

    YAML reads `2e7` as text, so that text is what a config may hold.

    Args:
        owner: what the parameters belong to, for messages.
        parameters: an instance of a frozen dataclass whose fields are made by `parameter`.

    Raises:
        SourceBenchError: a value of the wrong type or out of its range; the message names the
            parameter, what it got and what is allowed.
    """
    types = typing.get_type_hints(type(parameters))
    for field in dataclasses.fields(parameters):
        given = getattr(parameters, field.name)
        kinds = typing.get_args(types[field.name]) or (types[field.name],)
        if given is None and type(None) in kinds:
            continue
        kind = next(kind for kind in (str, int, float) if kind in kinds)
        value = _read(given, kind, field.metadata)
        if value is None:
            raise SourceBenchError(
                f"{owner}: {field.name} is {given!r}; it must be {_expected(kind, field.metadata)}."
            )
        object.__setattr__(parameters, field.name, value)  # the dataclass is frozen


def make(owner: str, cls: type[T], values: Mapping[str, Any]) -> T:
    """Return a dataclass with its parameters at the values given, else at their defaults.

    Args:
        owner: what the parameters belong to, for messages.
        cls: a dataclass whose fields are made by `parameter`.
        values: by the parameters' names.

    Raises:
        SourceBenchError: an unknown parameter; the message says which there are. Or as the
            dataclass itself.
    """
    fields: Any = cls
    known = [field.name for field in dataclasses.fields(fields)]
    if unknown := sorted(set(values) - set(known)):
        near, all_names = nearest(unknown[0], known), names(cls) or "none"
        raise SourceBenchError(
            f"{owner} has no parameter '{unknown[0]}'{near}; it has: {all_names}."
        )
    return cls(**values)


def names(cls: Any) -> str:
    """Return the names of a dataclass' parameters, with their units: 'text, size (px)'."""
    units = {field.name: field.metadata["unit"] for field in dataclasses.fields(cls)}
    return ", ".join(f"{name} ({unit})" if unit else name for name, unit in units.items())


def describe(parameters: Any) -> str:
    """Return the values of the parameters that are set, with units: 'text R, size 64 px'.

    A choice is not told where it is the usual one.
    """
    values = {field: getattr(parameters, field.name) for field in dataclasses.fields(parameters)}
    return ", ".join(
        f"{field.name} {_text(value)} {field.metadata['unit']}".rstrip()
        for field, value in values.items()
        if value is not None and not (field.metadata["choices"] and value == field.default)
    )


def _read(given: Any, kind: type, about: Mapping[str, Any]) -> str | int | float | None:
    """Return what is given as a `kind`; None if it isn't one, or out of range."""
    if kind is str:
        named = about["choices"]
        is_text = isinstance(given, str) and given.strip()
        return given if is_text and (not named or given in named) else None
    if isinstance(given, bool):
        return None
    try:
        number = float(given)
    except (TypeError, ValueError):
        return None
    within = math.isfinite(number) and about["low"] <= number <= about["high"]
    if not (within or (about["infinite"] and number == math.inf)):
        return None
    if kind is float:
        return number
    return int(number) if number.is_integer() else None


def _expected(kind: type, about: Mapping[str, Any]) -> str:
    if kind is str:
        return " or ".join(map(repr, about["choices"])) or "text, and not empty"
    what = "a whole number" if kind is int else "a number"
    unit = f" {about['unit']}" if about["unit"] else ""
    low, high = about["low"], about["high"]
    if math.isfinite(low) and math.isfinite(high):
        beyond = ", or .inf" if about["infinite"] else ""
        return f"{what} from {_text(low)} to {_text(high)}{unit}{beyond}"
    if math.isfinite(low):
        return f"{what} of at least {_text(low)}{unit}"
    return f"{what} of at most {_text(high)}{unit}" if math.isfinite(high) else f"{what}{unit}"


def _text(value: str | int | float) -> str:
    """Return a value as people write it: '2e7', not '2e+07'."""
    return value if isinstance(value, str) else f"{value:g}".replace("e+0", "e").replace("e+", "e")
