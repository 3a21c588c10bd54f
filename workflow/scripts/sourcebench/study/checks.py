"""The border: a study's config is checked here once, before any job, and trusted afterwards."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from sourcebench.axes import AXES
from sourcebench.errors import SourceBenchError, nearest

Schema = dict[str, Any]


def schema() -> Schema:
    """Return the JSON schema of a config: that of the file, with the keys of the axes."""
    whole: Schema = yaml.safe_load(Path(__file__).with_name("config.schema.yaml").read_text())
    experiment = whole["properties"]["experiment"]
    task = whole["properties"]["tasks"]["additionalProperties"]
    chosen = [axis for axis in AXES if axis.key]
    experiment["required"] = [axis.key for axis in chosen if axis.default is None]
    experiment["properties"] = {
        **{axis.key: axis.schema() for axis in chosen},
        **experiment["properties"],
    }
    task["properties"] |= {axis.key: axis.schema() for axis in chosen if axis.own}
    return whole


def fits(part: Mapping[str, Any], schema: Mapping[str, Any], where: str = "") -> None:
    """Check a part of a config by a schema: keys, types and values.

    Args:
        part: of the config.
        schema: its JSON schema.
        where: the part's key; "" for the whole.

    Raises:
        SourceBenchError: the first thing that is wrong, in one sentence that names the key, what
            it got and what is allowed.
    """
    errors = Draft202012Validator(schema).iter_errors(dict(part))
    if first := min(errors, key=lambda error: str(list(error.path)), default=None):
        raise SourceBenchError(_sentence(first, where))


def known(key: str, names: Iterable[str], allowed: Iterable[str]) -> None:
    """Check that names which the config uses exist.

    Args:
        key: where they are used.
        names: those used.
        allowed: those there are.

    Raises:
        SourceBenchError: one isn't there; the sentence names the nearest, and all there are.
    """
    for name in names:
        if name not in allowed:
            raise SourceBenchError(
                f"{key} has '{name}', which is not known{nearest(name, allowed)}; "
                f"allowed are: {', '.join(allowed)}."
            )


def _sentence(error: ValidationError, where: str) -> str:
    """Say a schema's complaint as a person would."""
    path = [where] if where else []
    key = ".".join([*path, *map(str, error.absolute_path)]) or "the config"
    got: Any = error.instance
    rule: Any = error.validator_value
    schema: Any = error.schema
    if error.validator == "additionalProperties":
        allowed = schema.get("properties", {})
        wrong = next(name for name in got if name not in allowed)
        return (
            f"{key} has the key '{wrong}', which is not known{nearest(wrong, allowed)}; "
            f"allowed are: {', '.join(allowed)}."
        )
    if error.validator == "required":
        missing = next(name for name in rule if name not in got)
        return f"{key} lacks the key '{missing}'; it needs: {', '.join(rule)}."
    if error.validator == "oneOf" and "required" not in rule[0]:
        return f"{key} is {got!r}; it must be {' or '.join(map(_one_way, rule))}."
    if error.validator in ("oneOf", "anyOf"):
        ways = " or ".join(" + ".join(way["required"]) for way in rule)
        return f"{key} needs one of: {ways}; it has: {', '.join(got)}."
    return f"{key} is {got!r}; it must be {_allowed(str(error.validator), rule, schema)}."


def _allowed(validator: str, rule: Any, schema: Any) -> str:
    if validator == "type":
        kinds = [rule] if isinstance(rule, str) else rule
        text = " or ".join("nothing" if kind == "null" else f"of type {kind}" for kind in kinds)
    elif validator == "enum":
        text = "one of: " + ", ".join("nothing" if value is None else str(value) for value in rule)
    elif validator in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"):
        text = _bounds(schema)
    elif validator == "uniqueItems":
        text = "a list without repetitions"
    elif validator in ("minItems", "minProperties"):
        text = f"a list or table with at least {rule} entry"
    else:
        text = f"something that fits {validator} {rule}"
    described = schema.get("description")
    return f"{text} ({described})" if described else text


def _bounds(schema: Any) -> str:
    """Return between which a number lies: 'over 0 and at most 1'."""
    low = schema.get("minimum", schema.get("exclusiveMinimum"))
    high = schema.get("maximum", schema.get("exclusiveMaximum"))
    lower = f"at least {low}" if "minimum" in schema else f"over {low}"
    upper = f"at most {high}" if "maximum" in schema else f"under {high}"
    return " and ".join(text for limit, text in ((low, lower), (high, upper)) if limit is not None)


def _one_way(schema: Any) -> str:
    """Return one of several things that a value may be: a number, or a list of them."""
    if schema["type"] == "array":
        return f"a list of {schema['minItems']} of them"
    return f"a {schema['type']} {_bounds(schema)}".rstrip()
