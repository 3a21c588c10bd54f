"""Parameters with units: dataclass fields that know what they measure and what they may be."""

import dataclasses
import math
import typing
from collections.abc import Collection, Iterator, Mapping
from typing import Any, NamedTuple, TypeVar

from sourcebench.errors import SourceBenchError, nearest
from sourcebench.schemas import Schema, complaint, phrase, shown

T = TypeVar("T")


class WrongParameter(SourceBenchError):
    """A value that is not allowed, an unknown parameter, or one that is missing.

    Args:
        owner: what the parameters belong to.
        key: of the value that is wrong; "" where the owner's keys are.
        text: the sentence without its subject.
    """

    def __init__(self, owner: str, key: str, text: str) -> None:
        super().__init__(f"{owner}: {key} {text}" if key else f"{owner} {text}")
        self.key, self.text = key, text

    def within(self, where: str) -> str:
        """Return the sentence with the key that an entry of the config has."""
        return f"{where}.{self.key} {self.text}" if self.key else f"{where} {self.text}"


def parameter(
    default: Any = dataclasses.MISSING,
    *,
    unit: str = "",
    help: str,
    low: float = -math.inf,
    high: float = math.inf,
    above: float = -math.inf,
    below: float = math.inf,
    infinite: bool = False,
    choices: Collection[str] = (),
    schema: Schema | None = None,
    decides: bool = True,
) -> Any:
    """Declare a parameter: a field of a dataclass, a `str`, `int`, `float`, `bool`, or None.

    Args:
        default: the value if none is given; without one it has to be given.
        unit: its unit, "" if it has none.
        help: one phrase for people.
        low: the smallest number allowed.
        high: the largest number allowed.
        above: a number that it has to exceed.
        below: a number that it has to stay under.
        infinite: whether infinity (in YAML: `.inf`) is allowed, too, whatever `high` says.
        choices: the words allowed, which may be a registry's names; any, if none are named.
        schema: the JSON schema of a value of another type (a list, a table), which may be None
            where that is the default.
        decides: whether a result may depend on it. A place that the same bytes are fetched from
            decides nothing.
    """
    about = {"unit": unit, "help": help, "low": low, "high": high, "above": above, "below": below}
    about |= {"infinite": infinite, "choices": choices, "schema": schema, "decides": decides}
    if default is dataclasses.MISSING:
        return dataclasses.field(metadata=about, kw_only=True)
    return dataclasses.field(default=default, metadata=about)


def check(owner: str, parameters: Any) -> None:
    """Check the fields of a frozen dataclass, and turn numbers given as text into numbers.

    YAML reads `2e7` as text, so that text is what a config may hold.

    Args:
        owner: what the parameters belong to, for messages.
        parameters: an instance of a frozen dataclass whose fields are made by `parameter`.

    Raises:
        WrongParameter: a value of the wrong type or out of its range; the message names the
            parameter, what it got and what is allowed.
    """
    types = _types(parameters.__class__)
    for field in dataclasses.fields(parameters):
        given, about = getattr(parameters, field.name), field.metadata
        kinds = typing.get_args(types[field.name]) or (types[field.name],)
        if given is None and (type(None) in kinds or field.default is None):
            continue
        if about["schema"] is not None:
            # A default that is a list stands there as a tuple, which no schema knows.
            if given != field.default and (wrong := complaint(given, about["schema"])):
                path, text = wrong
                raise WrongParameter(owner, f"{field.name}.{path}".rstrip("."), text)
            continue
        kind = _kind(kinds)
        value = _read(given, kind, about)
        if value is None:
            expected = _expected(kind, about)
            raise WrongParameter(owner, field.name, f"is {shown(given)}; it must be {expected}.")
        object.__setattr__(parameters, field.name, value)  # the dataclass is frozen


def make(owner: str, cls: type[T], values: Mapping[str, Any]) -> T:
    """Return a dataclass with its parameters at the values given, else at their defaults.

    Args:
        owner: what the parameters belong to, for messages.
        cls: a dataclass whose fields are made by `parameter`.
        values: by the parameters' names.

    Raises:
        WrongParameter: an unknown parameter, or one that is missing; the message says which there
            are.
        SourceBenchError: as the dataclass itself.
    """
    fields: Any = cls
    known = [field.name for field in dataclasses.fields(fields)]
    if unknown := sorted(set(values) - set(known)):
        near, all_names = nearest(unknown[0], known), names(cls) or "none"
        text = f"has the key '{unknown[0]}', which is not known{near}; allowed are: {all_names}."
        raise WrongParameter(owner, "", text)
    needed = [each.name for each in dataclasses.fields(fields) if _is_needed(each)]
    if missing := [name for name in needed if name not in values]:
        text = f"lacks the key '{missing[0]}'; it needs: {', '.join(needed)}."
        raise WrongParameter(owner, "", text)
    return cls(**values)


class Row(NamedTuple):
    """What a reader is told of a parameter; all text for people."""

    name: str
    default: str
    allowed: str
    help: str


def rows(cls: Any) -> Iterator[Row]:
    """Yield what documentation says of each parameter of a dataclass."""
    types = _types(cls)
    for field in dataclasses.fields(cls):
        about = field.metadata
        if about["schema"] is not None:
            allowed = phrase(about["schema"])
        else:
            kinds = typing.get_args(types[field.name]) or (types[field.name],)
            allowed = _expected(_kind(kinds), about)
        default = "" if field.default in (None, dataclasses.MISSING) else _text(field.default)
        if _is_needed(field):
            default = "has to be given"
        yield Row(field.name, default, allowed, about["help"])


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


def deciding(parameters: Any) -> dict[str, Any]:
    """Return the values of the parameters that a result may depend on, defaults filled in.

    They are as a config has them: a default that stands there as a tuple is a list.
    """
    values = {
        field.name: getattr(parameters, field.name)
        for field in dataclasses.fields(parameters)
        if field.metadata["decides"]
    }
    return {k: list(value) if isinstance(value, tuple) else value for k, value in values.items()}


_known: dict[type, dict[str, Any]] = {}


def _types(cls: type) -> dict[str, Any]:
    """Return the types of a dataclass' fields: a plan makes the same kinds thousands of times."""
    if cls not in _known:
        _known[cls] = typing.get_type_hints(cls)
    return _known[cls]


def _is_needed(field: "dataclasses.Field[Any]") -> bool:
    return field.default is dataclasses.MISSING


def _kind(kinds: tuple[Any, ...]) -> type:
    """Return which of a field's types its values are read as."""
    return next(kind for kind in (str, bool, int, float) if kind in kinds)


def _read(given: Any, kind: type, about: Mapping[str, Any]) -> str | bool | int | float | None:
    """Return what is given as a `kind`; None if it isn't one, or out of range."""
    if kind is str:
        named = about["choices"]
        is_text = isinstance(given, str) and given.strip()
        return given if is_text and (not named or given in named) else None
    if kind is bool or isinstance(given, bool):
        return given if kind is bool and isinstance(given, bool) else None
    try:
        number = float(given)
    except (TypeError, ValueError):
        return None
    within = math.isfinite(number) and about["low"] <= number <= about["high"]
    within = within and about["above"] < number < about["below"]
    if not (within or (about["infinite"] and number == math.inf)):
        return None
    if kind is float:
        return number
    return int(number) if number.is_integer() else None


def _expected(kind: type, about: Mapping[str, Any]) -> str:
    """Return what a value has to be, after 'it must be'."""
    if kind is bool:
        return "true or false"
    if kind is str:
        return " or ".join(map(repr, about["choices"])) or "text, and not empty"
    what = "a whole number" if kind is int else "a number"
    unit = f" {about['unit']}" if about["unit"] else ""
    beyond = ", or .inf" if about["infinite"] else ""
    low, high = about["low"], about["high"]
    if math.isfinite(low) and math.isfinite(high):
        return f"{what} from {_text(low)} to {_text(high)}{unit}{beyond}"
    limits = {"of at least": low, "over": about["above"]}
    limits |= {"of at most": high, "under": about["below"]}
    bounds = [f"{word} {_text(limit)}" for word, limit in limits.items() if math.isfinite(limit)]
    return f"{what} {' and '.join(bounds)}".rstrip() + unit + beyond


def _text(value: Any) -> str:
    """Return a value as people write it: '2e7' and '1e-8', not '2e+07' and '1e-08'."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return f"[{', '.join(map(_text, value))}]"
    if not isinstance(value, int | float):
        return str(value)
    return f"{value:g}".replace("e+0", "e").replace("e+", "e").replace("e-0", "e-")
