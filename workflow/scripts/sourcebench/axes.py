"""The axes of an experiment: what sets one run apart from another.

An axis is a field of `Run`: its name, type and default, and what `axis` says of it. The config's
keys, the table of runs, their paths and seeds, the columns of runs.csv and the variants in figures
follow from these fields. A new axis is one field more, and what it does in a run.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

from sourcebench.seeds import seed_of

Value: TypeAlias = str | float | int
Type: TypeAlias = type[str] | type[float] | type[int]
DTYPES = {str: "str", float: "float64", int: "int64"}
FROM_0_TO_1 = {"minimum": 0, "maximum": 1, "description": "a number from 0 to 1"}


@dataclass(frozen=True)
class Axis:
    """What is known of an axis.

    Attributes:
        name: a column of the table of runs, and a part of a run's path.
        type: of its values: text, a share, or a number that counts from 1.
        default: its value in a study without it; None for an axis that every study has.
        key: of the config's `experiment`: a list of values, or how many an axis that counts has;
            "" where the tasks alone say them.
        own: whether a task may have values of its own, by the same key.
        among: the part of the config that defines the names; "" where another place does.
        values: a JSON schema of one value, or of the number of those that count.
        seeded: whether it is part of a run's seed; runs that differ in other axes are paired.
        again: whether it runs a cell of the experiment again, rather than make another cell.
    """

    name: str
    type: Type
    default: Value | None
    key: str
    own: bool
    among: str
    values: Mapping[str, Any]
    seeded: bool
    again: bool

    @property
    def dtype(self) -> str:
        """The pandas dtype of its column."""
        return DTYPES[self.type]

    @property
    def counts(self) -> bool:
        """Whether its values are 1, 2, … as far as the config says."""
        return self.type is int

    def of(self, part: Mapping[str, Any]) -> list[Value]:
        """Return its values, from the part of a config that has its key; else the default."""
        if self.key not in part:
            return [] if self.default is None else [self.default]
        given = part[self.key]
        return list(range(1, given + 1)) if self.counts else list(given)

    def text(self, value: Value) -> Value:
        """Return a value as it stands in paths: a share as '0', '0.1', …, '1'."""
        return f"{value:g}" if self.type is float else value

    def schema(self) -> dict[str, Any]:
        """Return the JSON schema of its key in the config."""
        if self.counts:
            return {"type": "integer", "minimum": 1, **self.values}
        item = {"type": "string" if self.type is str else "number", **self.values}
        return {"type": "array", "minItems": 1, "uniqueItems": True, "items": item}


def axis(
    key: str = "",
    *,
    default: Value | None = None,
    own: bool = False,
    among: str = "",
    values: Mapping[str, Any] | None = None,
    seeded: bool = False,
    again: bool = False,
) -> Any:
    """Declare a field of `Run`; the arguments are those of `Axis`."""
    about = {"key": key, "own": own, "among": among, "values": values or {}}
    about |= {"seeded": seeded, "again": again}
    if default is None:
        return dataclasses.field(metadata=about)
    return dataclasses.field(default=default, metadata=about)


@dataclass(frozen=True)
class Run:
    """Which run it is: its place in the experiment, a row of `Study.runs`.

    Attributes:
        task: the task.
        confounder: the confounder, or 'none'.
        source: the source.
        arch: the architecture.
        p_art: share of the confounded class that carries the artifact.
        fold: from 1 on.
        transfer: name of the transfer.
        fraction: of the training set's patients, in (0, 1].
        repeat: from 1 on; repeats differ in their seed.
        method: name of the method of training.
    """

    task: str = axis("tasks", among="tasks", seeded=True)
    confounder: str = axis()
    source: str = axis("sources", among="sources")
    arch: str = axis("archs", own=True, seeded=True)
    p_art: float = axis("p_art", own=True, values=FROM_0_TO_1)
    fold: int = axis("folds", values={"maximum": 20}, seeded=True, again=True)
    transfer: str = axis("transfer", default="full", own=True, among="transfer")
    fraction: float = axis(
        "fraction", default=1.0, own=True, values={"exclusiveMinimum": 0, "maximum": 1}
    )
    repeat: int = axis("repeats", default=1, values={"maximum": 100}, seeded=True, again=True)
    method: str = axis("method", default="cross_entropy", own=True, among="method")

    @classmethod
    def of(cls, row: Mapping[str, Any]) -> Run:
        """Make it from a row of the table, where everything may be text, or a default left out."""
        given = [axis for axis in AXES if axis.name in row]
        values: dict[str, Any] = {axis.name: axis.type(row[axis.name]) for axis in given}
        return cls(**values)

    def seed(self, study: int) -> int:
        """Return the run's seed.

        Runs that differ in none of the axes that are `seeded` have the same, so that they are
        paired. Axes with a default count as far as the last that has another value: a study that
        gets one more axis keeps its seeds.

        Args:
            study: the study's seed.
        """
        always = [getattr(self, axis.name) for axis in USUAL if axis.seeded]
        further = [(getattr(self, axis.name), axis.default) for axis in FURTHER if axis.seeded]
        while further and further[-1][0] == further[-1][1]:
            further.pop()
        return seed_of(study, "run", *always, *(value for value, _ in further))


def _axes() -> tuple[Axis, ...]:
    types = typing.get_type_hints(Run)
    return tuple(
        Axis(
            field.name,
            types[field.name],
            None if field.default is dataclasses.MISSING else field.default,
            **field.metadata,
        )
        for field in dataclasses.fields(Run)
    )


AXES = _axes()
"""All axes, in the order of columns and paths."""

USUAL = tuple(axis for axis in AXES if axis.default is None)
"""Those that every study has."""

FURTHER = tuple(axis for axis in AXES if axis.default is not None)
"""Those that a study has where its config says so."""
