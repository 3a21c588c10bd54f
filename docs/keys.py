"""Write the tables of kinds and their keys in config/README.md, as the kinds declare them.

    make docs

A table stands between two comments of HTML, the first of which names it; all around stays as it is.
A registry of kinds joins by a line in `TABLES` and two comments where its table is to stand.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sourcebench.artifacts import ARTIFACTS
from sourcebench.attributes import ATTRIBUTES, HELD_OUT
from sourcebench.datasets.base import KINDS as DATASETS
from sourcebench.datasets.labels import LABELS
from sourcebench.kinds import Kinds
from sourcebench.parameters import Row, rows
from sourcebench.sources import KINDS as SOURCES
from sourcebench.training.methods import METHODS
from sourcebench.training.transfer import TRANSFERS

PAGE = Path(__file__).parents[1] / "config" / "README.md"

TABLES: dict[str, Kinds[Any]] = {
    "datasets": DATASETS,
    "labels": LABELS,
    "artifacts": ARTIFACTS,
    "attributes": ATTRIBUTES,
    "held_out": HELD_OUT,
    "sources": SOURCES,
    "transfer": TRANSFERS,
    "method": METHODS,
}

PLACE = re.compile(r"(<!-- keys of (\w+), .*? -->\n).*?(<!-- end of keys -->\n)", re.DOTALL)


def written(page: str) -> str:
    """Return a page with its tables as they are to be.

    Raises:
        KeyError: the page has a place for a table that there is not.
    """
    return PLACE.sub(lambda found: f"{found[1]}\n{described(TABLES[found[2]])}\n{found[3]}", page)


def described(kinds: Kinds[Any]) -> str:
    """Return the tables of a registry: its kinds, and their keys, each key once if it can be."""
    lines = [f"| {kinds.named_by} | what it is |", "| --- | --- |"]
    lines += [f"| `{name}` | {_about(kinds.get(name))} |" for name in kinds.names()]
    head = f"| {kinds.named_by} | key | what it is | allowed | default |"
    lines += ["", head, 5 * "| --- " + "|"]
    for row, of in _keys(kinds):
        what, allowed, default = map(_cell, (row.help, row.allowed, row.default or "–"))
        lines.append(f"| {of} | `{row.name}` | {what} | {allowed} | {default} |")
    if graded := [name for name in kinds.names() if getattr(kinds.get(name), "severities", ())]:
        lines += ["", *_severities(kinds, graded)]
    return "\n".join(lines) + "\n"


def _severities(kinds: Kinds[Any], graded: list[str]) -> Iterator[str]:
    """Yield the table of kinds that have severities: what each is, from 1 on."""
    numbers = range(1, 1 + max(len(kinds.get(name).severities) for name in graded))
    yield f"| {kinds.named_by} | severity {' | '.join(map(str, numbers))} |"
    yield (1 + len(numbers)) * "| --- " + "|"
    for name in graded:
        values = kinds.get(name).severities
        cells = [", ".join(f"{key} {value:g}" for key, value in each.items()) for each in values]
        yield f"| `{name}` | {' | '.join(cells)} |"


def _about(kind: Any) -> str:
    """Return what the docstring of a kind begins with, and its place in MICCAT if it has one."""
    first = kind.__doc__.split("\n\n")[0]
    place = f" MICCAT: {kind.taxon}." if hasattr(kind, "taxon") else ""
    return _cell(" ".join(first.split()) + place)


def _keys(kinds: Kinds[Any]) -> Iterator[tuple[Row, str]]:
    """Yield each key with the kinds that have it, keys of every kind and of several first."""
    having: dict[Row, list[str]] = {}
    for name in kinds.names():
        for row in rows(kinds.get(name)):
            having.setdefault(row, []).append(name)
    every = kinds.names() if len(kinds.names()) > 1 else None
    ranked = sorted(having.items(), key=lambda item: (item[1] != every, len(item[1]) == 1))
    for row, names in ranked:
        yield row, "every" if names == every else ", ".join(f"`{name}`" for name in names)


def _cell(text: str) -> str:
    return text.replace("|", r"\|")


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text()))
