"""Tasks: which images have which label."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sourcebench.classes import names as class_names
from sourcebench.datasets.classes import ClassLabels
from sourcebench.datasets.labels import LABELS
from sourcebench.errors import SourceBenchError, nearest, number

View = str | Sequence[str] | None
"""Of radiographs: one, several, or any."""

MANIFEST_COLUMNS = [
    "image_id", "patient_id", "label", "role", "sex", "age", "view", "findings",
]  # fmt: skip


def identified(metadata: pd.DataFrame) -> pd.DataFrame:
    """Return a dataset's metadata with `image_id` and `patient_id` as text.

    Raises:
        SourceBenchError: an id is missing.
    """
    for column in ("image_id", "patient_id"):
        if (empty := metadata[column].isna()).any():
            raise SourceBenchError(
                f"the dataset's metadata has no {column} in {number(int(empty.sum()), 'row')} "
                f"(such as row {empty.argmax()}, counted from 0); every image needs one."
            )
    return metadata.astype({"image_id": "str", "patient_id": "str"})


def require_column(table: pd.DataFrame, column: str, what: str) -> None:
    """Refuse a column that a dataset's metadata, or its candidates, do not have.

    Args:
        table: the metadata, or some of its rows.
        column: its name.
        what: it is, for the sentence.

    Raises:
        SourceBenchError: there is none; the sentence names the nearest, and all there are.
    """
    if column not in table:
        own = ("image_id", "patient_id", "label", "pair")
        columns = [str(name) for name in table if name not in own]
        raise SourceBenchError(
            f"{what} is '{column}', which the dataset's metadata does not have"
            f"{nearest(column, columns)}; there are: {', '.join(columns)}."
        )


def attributed(metadata: pd.DataFrame, carrier: tuple[str, str, str]) -> pd.DataFrame:
    """Return a dataset's metadata with the attribute that a sampling confounder goes by as text.

    Args:
        metadata: of the dataset.
        carrier: (column, carrying value, other value).

    Raises:
        SourceBenchError: there is no such column, or it never has one of the values.
    """
    column, *values = carrier
    require_column(metadata, column, "the confounder's column")
    metadata = metadata.astype({column: "str"})
    known = sorted(metadata[column].dropna().unique())
    for value in values:
        if value not in known:
            listed = ", ".join(known[:10]) + (", …" if len(known) > 10 else "")
            raise SourceBenchError(
                f"the confounder needs images whose {column} is '{value}', but there is none in "
                f"the dataset's metadata; {column} is {f'one of: {listed}' if known else 'empty'}."
            )
    return metadata


def candidates(
    table: pd.DataFrame,
    labels: Mapping[str, Any],
    view: View,
    available: set[str] | None = None,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return every image that a task may use, and the counts of what was left out.

    Args:
        table: the dataset's metadata.
        labels: the task's `labels` in the config; `from` names the label source.
        view: PA, AP, or a list of views; None for any.
        available: names of the images that are there; None means all of them are.

    Returns:
        What the label source returns, and counts: `candidates` (rows with a label and
        the view), `without_image` (those of them that are lost since images are not available),
        `without_row` (available images that the metadata does not know), `without_findings`
        (rows of the view of whose image nothing is known, not even that nothing was found) and,
        with `labels` that know such, `several_classes` (rows of the view that are of two).

    Raises:
        SourceBenchError: a class is empty.
    """
    source = LABELS.from_entry(labels, "labels")
    every, seen = source.rows(table), present(table, view, None)
    chosen = present(every, view, None)
    if isinstance(source, ClassLabels):
        classes, unknown, left_out = _named(every), source.unknown(seen), source.left_out(seen)
    else:
        classes, left_out = _classes(chosen["label"]), {}
        unknown = int(seen["findings"].isna().sum())
    counts = {"candidates": len(chosen), "without_image": 0, "without_row": 0}
    counts |= {"without_findings": unknown, **left_out}
    if available is not None:
        there = chosen[chosen["image_id"].isin(available)]
        if "pair" in chosen:  # the partner of an image that is missing may be another one then
            rows = source.rows(table[table["image_id"].isin(available)])
            there = present(rows, view, None)
        counts["without_image"] = len(chosen) - len(there)
        counts["without_row"] = len(available - set(table["image_id"]))
        chosen = there
    for label, name in classes:
        if not (chosen["label"] == label).any():
            raise SourceBenchError(
                f"No {name} is left: labels {dict(labels)}, view {view or 'any'}, "
                f"{number(counts['candidates'], 'image')} in the metadata would do, "
                f"{counts['without_image']:,} of these without a file on disk, and {unknown:,} "
                "more without findings, not even a word for none. "
                "Loosen the task's labels or view, or provide more images."
            )
    return chosen.reset_index(drop=True), counts


def _classes(labels: pd.Series) -> list[tuple[int, str]]:
    """Return the labels that there have to be, of two classes or of more, with their names."""
    count = 1 + max([1, *labels])
    if count == 2:
        return [(1, "positive image"), (0, "negative image")]
    return [(label, f"image of class {label}") for label in range(count)]


def _named(rows: pd.DataFrame) -> list[tuple[int, str]]:
    """Return the labels of rows that say which class they are of, and what an error calls it."""
    return [(label, f"image of class '{name}'") for label, name in enumerate(class_names(rows))]


def present(table: pd.DataFrame, view: View, available: set[str] | None) -> pd.DataFrame:
    """Return the rows of a view whose images are there; None for any view, and for all images."""
    if available is not None:
        table = table[table["image_id"].isin(available)]
    if view is None:
        return table
    return table[table["view"].isin([view] if isinstance(view, str) else view)]
