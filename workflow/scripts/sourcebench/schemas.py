"""What is wrong with a part of a config, said in a sentence."""

from collections.abc import Iterable, Mapping
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from sourcebench.errors import SourceBenchError, nearest

Schema = Mapping[str, Any]

TYPES = {
    "integer": "a whole number",
    "number": "a number",
    "string": "text",
    "boolean": "true or false",
    "array": "a list",
    "object": "a table of keys and values",
    "null": "nothing",
}
"""What a person calls the types of JSON."""


def fits(part: Mapping[str, Any], schema: Schema, where: str = "") -> None:
    """Check a part of a config by a schema: keys, types and values.

    Args:
        part: of the config.
        schema: its JSON schema.
        where: the part's key; "" for the whole.

    Raises:
        SourceBenchError: the first thing that is wrong, in one sentence that names the key, what
            it got and what is allowed.
    """
    if wrong := complaint(part, schema):
        path, text = wrong
        raise SourceBenchError(f"{'.'.join(filter(None, (where, path))) or 'the config'} {text}")


def complaint(value: Any, schema: Schema) -> tuple[str, str] | None:
    """Return the first thing that is wrong with a value, as a person would say it.

    Args:
        value: a part of a config, or a value in it.
        schema: its JSON schema.

    Returns:
        The key in the value ("" for the value itself), and the sentence without its subject:
        what is there and what is allowed. None where all is well.
    """
    whole = dict(value) if isinstance(value, Mapping) else value
    errors = Draft202012Validator(schema).iter_errors(whole)
    first = min(errors, key=lambda error: str(list(error.path)), default=None)
    return (".".join(map(str, first.absolute_path)), _predicate(first)) if first else None


def phrase(schema: Schema) -> str:
    """Return what a value has to be, after 'it must be': 'a number over 0'."""
    if "description" in schema:
        return str(schema["description"])
    if "enum" in schema:
        return f"one of: {', '.join(map(str, schema['enum']))}"
    if "oneOf" in schema:
        return " or ".join(map(phrase, schema["oneOf"]))
    if schema["type"] == "array":
        return f"a list of {schema['minItems']} of them"
    return f"{TYPES[schema['type']]} {_bounds(schema)}".rstrip()


def shown(value: Any) -> str:
    """Return a value of a config as a sentence shows it: 3, 'three', [1, 2], true, or nothing."""
    if isinstance(value, bool):
        return str(value).lower()
    return "nothing" if value is None else repr(value)


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


def _predicate(error: ValidationError) -> str:
    got: Any = error.instance
    rule: Any = error.validator_value
    schema: Any = error.schema
    if error.validator == "additionalProperties":
        allowed = schema.get("properties", {})
        wrong = next(name for name in got if name not in allowed)
        return (
            f"has the key '{wrong}', which is not known{nearest(wrong, allowed)}; "
            f"allowed are: {', '.join(allowed)}."
        )
    if error.validator == "required":
        missing = next(name for name in rule if name not in got)
        return f"lacks the key '{missing}'; it needs: {', '.join(rule)}."
    if error.validator == "oneOf" and "required" not in rule[0]:
        return f"is {shown(got)}; it must be {' or '.join(map(phrase, rule))}."
    if error.validator in ("oneOf", "anyOf"):
        ways = " or ".join(" + ".join(way["required"]) for way in rule)
        return f"needs one of: {ways}; it has: {', '.join(got)}."
    return f"is {shown(got)}; it must be {_allowed(str(error.validator), rule, schema)}."


def _allowed(validator: str, rule: Any, schema: Any) -> str:
    if validator == "type":
        kinds = [rule] if isinstance(rule, str) else rule
        text = " or ".join(TYPES[kind] for kind in kinds)
    elif validator == "enum":
        text = "one of: " + ", ".join("nothing" if value is None else str(value) for value in rule)
    elif validator in ("minimum", "exclusiveMinimum", "maximum", "exclusiveMaximum"):
        text = _bounds(schema)
    elif validator == "pattern" and "description" in schema:
        return str(schema["description"])
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
