"""Labels of any number of classes: a column of the metadata, and which of its values are which."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

import pandas as pd

from sourcebench.classes import word
from sourcebench.datasets.labels import LABELS, LabelSource, labelled
from sourcebench.errors import SourceBenchError, nearest
from sourcebench.parameters import WrongParameter, parameter

MOST = 5000
"""A column with more values is no list of classes, but says something of each image."""

SHOWN = 20
"""So many of a column's values are listed where one is not among them."""

VALUE = {"type": ["string", "number"], "description": "text or a number; yes and no in quotes"}
VALUES = {"type": ["array", "null"], "minItems": 1, "items": VALUE}


@LABELS.register("classes")
@dataclass(frozen=True)
class ClassLabels(LabelSource):
    """Classes of one's own: lists of values of any column; images of two classes are left out.

    Labels are numbered in the order of the classes, so that of two the second is positive. A cell
    holds values joined by '|'; those of no class count for nothing. A cell that is known and empty
    has the value ''.

    Args:
        column: of the metadata.
        classes: name → the values that make an image one of the class; None: each value is a class
            by its own name, in alphabetical order. A name without values is no class: so one of
            a config that this one is laid over is taken back.

    Raises:
        SourceBenchError: fewer than two classes, or a value that is in two.
    """

    column: str = parameter("findings", help="the column, with values joined by `|`")
    classes: Mapping[str, Any] | None = parameter(
        None,
        help="the values of each class, of two the positive one last; left out, every value is one",
        schema={
            "type": "object",
            "additionalProperties": VALUES,
            "description": "a table: name of the class → list of values",
        },
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.classes is None:
            return
        classes = {
            str(name): [word(value) for value in values]
            for name, values in self.classes.items()
            if values is not None
        }
        object.__setattr__(self, "classes", classes)  # the dataclass is frozen
        if len(classes) < 2:
            there = f"only '{next(iter(classes))}'" if classes else "none"
            self._refuse(f"has to name two classes or more; it has {there}.")
        found: dict[str, str] = {}
        for name, values in classes.items():
            for value in values:
                if found.setdefault(value, name) != name:
                    self._refuse(f"has '{value}' in '{found[value]}' and in '{name}'; keep one.")

    @property
    def names(self) -> list[str] | None:
        """The classes in the order of their labels; None where only the metadata tell."""
        return None if self.classes is None else list(self.classes)

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of exactly one class, with its name in `class` and its number in `label`.

        Raises:
            SourceBenchError: no such column, a value that stands in no cell, a class without
                images, fewer than two values, or too many.
        """
        cells = self._cells(table)
        known = set(chain.from_iterable(map(_values, cells.dropna().unique())))
        if self.classes is None:
            names = self._each(known - {""})
        else:
            names = list(self.classes)
            self._require(set(chain.from_iterable(self.classes.values())), known)
        found = cells.map(self._found(cells))
        name = found.map(lambda each: next(iter(each)), na_action="ignore")
        name = name.where(found.map(len, na_action="ignore") == 1)
        counts = name.value_counts()
        if empty := [each for each in names if each not in counts]:
            raise SourceBenchError(
                f"labels: no image is of the class {_listed(empty)} and no other; "
                "leave it out, or give it other values."
            )
        label = name.map({each: number for number, each in enumerate(names)})
        return labelled(table.assign(**{"class": name.astype("str")}), label)

    def left_out(self, table: pd.DataFrame) -> dict[str, int]:
        """Return how many rows are of several classes, and so have no label."""
        cells = self._cells(table)
        found = cells.map(self._found(cells))
        return {"several_classes": int((found.map(len, na_action="ignore") > 1).sum())}

    def unknown(self, table: pd.DataFrame) -> int:
        """Return of how many rows the column says nothing."""
        return int(self._cells(table).isna().sum())

    def _cells(self, table: pd.DataFrame) -> pd.Series:
        """Return the column as text, missing where it is."""
        if self.column not in table:
            columns = [str(name) for name in table if name not in ("image_id", "patient_id")]
            raise SourceBenchError(
                f"labels.column is '{self.column}', which the dataset's metadata does not have"
                f"{nearest(self.column, columns)}; there are: {', '.join(columns)}."
            )
        return table[self.column].map(word, na_action="ignore").astype(object)

    def _found(self, cells: pd.Series) -> dict[str, frozenset[str]]:
        """Return the classes of each cell that is of any."""
        if self.classes is None:
            found = {cell: frozenset(_values(cell)) - {""} for cell in cells.dropna().unique()}
        else:
            of = {value: name for name, values in self.classes.items() for value in values}
            found = {
                cell: frozenset(of[value] for value in _values(cell) if value in of)
                for cell in cells.dropna().unique()
            }
        return {cell: names for cell, names in found.items() if names}

    def _each(self, known: Iterable[str]) -> list[str]:
        names = sorted(known)
        if len(names) < 2 or len(names) > MOST:
            there = f"the values {_listed(names)}" if names else "no value"
            raise SourceBenchError(
                f"labels: without classes every value of the column '{self.column}' is one, and it "
                f"has {there}; name from 2 to {MOST} classes, or another column."
            )
        return names

    def _require(self, wanted: set[str], known: set[str]) -> None:
        if missing := sorted(wanted - known):
            hints = [f"'{value}'{nearest(value, known)}" for value in missing[:SHOWN]]
            more = ", …" if len(missing) > SHOWN else ""
            raise SourceBenchError(
                f"labels.classes has {', '.join(hints)}{more}, which no cell of the column "
                f"'{self.column}' has; there are: {_listed(sorted(known)) or 'none'}."
            )

    def _refuse(self, text: str) -> None:
        raise WrongParameter(f"{self.noun} '{self.kind}'", "classes", text)


def _values(cell: str) -> list[str]:
    return cell.split("|")


def _listed(values: list[str]) -> str:
    more = f", … ({len(values)} in all)" if len(values) > SHOWN else ""
    return ", ".join(f"'{value}'" for value in values[:SHOWN]) + more
