"""The sources of a study as a page: one HTML file that needs no other."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pandas as pd

from sourcebench.evaluation.sources_table import structure_notes
from sourcebench.figures.parts.style import FAINT, INK, StudyStyle
from sourcebench.files import atomic

STYLESHEET = Path(__file__).with_name("sources_page.css")
HEAD = ("Architecture", "From", "SHA-256", "Mean ± SD", "Pretrained at", "Parameters")
NUMBERS = HEAD.index("Mean ± SD")  # from here on cells are numbers
DIGEST = 12  # characters of a checksum that are shown
# Keys of cards that are abbreviations there.
WORDS = {
    "lr": "learning rate",
    "size": "size (px)",
    "train_accuracy": "accuracy in training",
    "val_accuracy": "accuracy reached",
    "seconds": "seconds of training",
}


def write_page(path: str | Path, table: pd.DataFrame, study: str) -> None:
    """Write the page: a table per source with its title, licence and citation.

    Whatever stands in the table is text on the page, never markup.

    Args:
        path: the `.html` to write.
        table: one row per source and architecture, of `evaluation.sources_table`.
        study: the study's name.
    """
    titles = dict(zip(table["source"], table["title"], strict=True))
    nothing = pd.DataFrame(columns=["task", "confounder", "source", "arch"])
    colours = StudyStyle(sources=titles).covering(nothing).colours
    rows: list[dict[str, Any]] = table.to_dict("records")  # type: ignore[assignment]
    sections = [
        _section([row for row in rows if row["source"] == source], colours[source])
        for source in titles
    ]
    side = rows[0]["flops_at"]
    explained = (
        "Parameters and operations are those of the network without its classifier; operations are "
        f"for one image of {side} × {side} px, a multiplication and an addition counting as two. "
        "Mean and SD normalise images whose values span 0 to 1; three values are red, green and "
        "blue. A checksum is that of the file as it came; tables/sources.csv has it in full."
    )
    colour = f":root {{ --ink: {INK}; --faint: {FAINT}; }}\n"
    page = _element(
        "html",
        _element(
            "head",
            _element("meta", charset="utf-8"),
            _element("meta", name="viewport", content="width=device-width"),
            _element("title", f"Sources of the study {study}"),
            _element("style", colour + STYLESHEET.read_text()),
        ),
        _element(
            "body",
            _element("h1", "Sources of the study ", _element("em", study)),
            _element("p", explained, kind="lead"),
            *(_element("p", note, kind="note") for note in structure_notes(table)),
            *sections,
        ),
        lang="en",
    )
    text = ElementTree.tostring(page, encoding="unicode", method="html")
    with atomic(path) as temporary:
        temporary.write_text(f"<!DOCTYPE html>\n{text}\n", encoding="utf-8")


def _element(tag: str, *content: Any, kind: str = "", **attributes: str) -> ElementTree.Element:
    """Return an element of text and elements; `kind` is its class. ElementTree escapes both."""
    element = ElementTree.Element(tag, {"class": kind} if kind else {}, **attributes)
    last = None
    for part in content:
        if isinstance(part, ElementTree.Element):
            element.append(part)
            last = part
        elif last is None:
            element.text = (element.text or "") + part
        else:
            last.tail = (last.tail or "") + part
    return element


def _section(rows: Sequence[Mapping[str, Any]], colour: str) -> ElementTree.Element:
    first = rows[0]
    heading = _element(
        "h2",
        _element("span", kind="swatch", style=f"background: {colour}"),
        first["title"],
        _element("code", first["source"]),
        _element("span", first["kind"], kind="badge"),
        *([_element("span", "licence to be accepted", kind="badge gated")] * bool(first["gated"])),
    )
    facts = [_element("dl")]
    for name, key in (("Licence", "licence"), ("Citation", "citation")):
        facts[0].extend([_element("dt", name), _element("dd", *_common(rows, key))])
    if _known(first["note"]):
        facts.insert(0, _element("p", first["note"], kind="note"))
    head = [*HEAD, f"GFLOP at {first['flops_at']} px"]
    cells = [
        _element("th", name, kind="number" if place >= NUMBERS else "", scope="col")
        for place, name in enumerate(head)
    ]
    shown = {row["arch"] for row in rows}
    table = _element(
        "table",
        _element("thead", _element("tr", *cells)),
        _element("tbody", *(_row(row, as_parent=row["parent"] in shown) for row in rows)),
    )
    return _element("section", heading, *facts, _element("div", table, kind="scroll"))


def _row(row: Mapping[str, Any], *, as_parent: bool) -> ElementTree.Element:
    """Return a row; a truncated network may point to its parent for the origin."""
    digest = row["sha256"]
    origin = [_unknown(f"as {row['parent_title']}")] if as_parent else _origin(row["origin"])
    shown = (
        _element("code", f"{digest[:DIGEST]}…", title=digest) if _known(digest) else _unknown("–")
    )
    network = _element("span", _network(row["network"]), kind="below")
    pretrained = f"{row['input_size']} px" if _known(row["input_size"]) else _unknown("–")
    numbers = [
        (_triple(row["mean"]), _element("br"), f"± {_triple(row['std'])}"),
        (pretrained,),
        (f"{_rounded(row['parameters'] / 1e6)} M",),
        (_rounded(row["flops"] / 1e9),),
    ]
    if _known(row["parent"]):
        parameters, flops = (
            f"{100 * row[f'{key}_share']:.0f} %" for key in ("parameters", "flops")
        )
        of_parent = f"{parameters} of {row['parent_title']}"
        numbers[-2:] = [
            (*numbers[-2], _element("span", of_parent, kind="below")),
            (*numbers[-1], _element("span", flops, kind="below")),
        ]
    return _element(
        "tr",
        _element("th", row["arch_title"], network, scope="row"),
        _element("td", *origin),
        _element("td", shown),
        *(_element("td", *content, kind="number") for content in numbers),
    )


def _known(value: Any) -> bool:
    return value is not None and value is not pd.NA and value == value  # NaN is not itself


def _unknown(text: str) -> ElementTree.Element:
    return _element("span", text, kind="unknown")


def _common(rows: Sequence[Mapping[str, Any]], key: str) -> list[Any]:
    """Return what a source says, with the architectures for which it does where they differ."""
    said: dict[str, list[str]] = {}
    for row in rows:
        said.setdefault(row[key] if _known(row[key]) else "", []).append(row["arch_title"])
    parts: list[Any] = []
    for text, archs in said.items():
        parts += [", "] if parts else []
        parts.append(text or _unknown("not stated"))
        parts += [f" ({', '.join(archs)})"] if len(said) > 1 else []
    return parts


def _network(network: Mapping[str, Any]) -> str:
    """Return an exact network as one would call it: 'timm: resnet50 (img_size 518)'."""
    options = dict(network)
    builder, name = options.pop("builder"), options.pop("name", None)
    called = f"{builder}: {name}" if name else builder
    details = ", ".join(f"{key} {value}" for key, value in options.items())
    return f"{called} ({details})" if details else called


def _origin(origin: Mapping[str, Any]) -> list[Any]:
    """Return an origin as pairs of key and value, those of a recipe within it as well."""
    pairs: dict[str, Any] = {}
    for key, value in origin.items():
        pairs |= value if isinstance(value, Mapping) else {key: value}
    return [
        _element(
            "span", WORDS.get(key, key.replace("_", " ")), "\u00a0", _value(value), kind="pair"
        )
        for key, value in pairs.items()
    ]


def _value(value: Any) -> ElementTree.Element:
    if isinstance(value, float):
        return _element("b", f"{value:.3g}")
    if isinstance(value, int) and not isinstance(value, bool):
        return _element("b", f"{value:,}")
    if str(value).startswith(("https://", "http://")):
        return _element("a", str(value), href=str(value), rel="noreferrer", target="_blank")
    return _element("b", str(value))


def _triple(values: Sequence[float]) -> str:
    """Return three numbers to three digits, or one where they are the same."""
    distinct = values if len(set(values)) > 1 else values[:1]
    return " ".join(f"{value:.3g}" for value in distinct)


def _rounded(value: float) -> str:
    """Return a size to one decimal, a small one to two digits."""
    if value >= 1 or value == 0:
        return f"{value:.1f}"
    return f"{value:.{1 - math.floor(math.log10(value))}f}"
