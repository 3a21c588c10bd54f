"""What a study's networks started from, as a table."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import pandas as pd

from sourcebench.models import (
    ARCHITECTURES,
    build_network,
    initialisation_of,
    network_of,
    truncate,
    weights_arch,
)
from sourcebench.sources import structures
from sourcebench.sources.card import FLOPS_AT, Card, Description, Drawn

SIZES = ("parameters", "flops", "flops_at")


def sources_table(
    described: Mapping[str, Description], archs: Mapping[str, Sequence[str]], cards: Iterable[Card]
) -> pd.DataFrame:
    """Return what each network of a study started from.

    What people say of a source (title, licence, citation, note) is taken from the config rather
    than from the cards, so that a correction there needs no weights to be fetched again.

    Args:
        described: source → what the config says of it, in the order of the config.
        archs: source → architectures that the study fine-tunes from it.
        cards: those of all weights that the study uses; a truncated architecture has its parent's.

    Returns:
        One row per source and architecture. `source`, `title`, `kind`, `arch`, `arch_title`,
        `note`, `licence`, `gated` (bool: whether the licence has to be accepted first),
        `citation`; `network` and `origin` (dicts as on the card; for random weights the origin is
        how they are drawn), `sha256`; `mean` and `std` (three floats, of RGB images in [0, 1]),
        `input_size` (px, that of the pretraining); `parameters`, `flops` (for one image of side
        `flops_at` px; a multiplication and an addition are two), both without a head and of what
        remains of a truncated network; then `parent` and `parent_title` say of which,
        `parameters_share` and `flops_share` (in [0, 1]) how much of it. What is unknown or does not
        apply is missing.
    """
    by_name = {(card["source"], card["arch"]): card for card in cards}
    rows = []
    for source, said in described.items():
        drawn = said["drawn"]
        for arch in archs[source]:
            card = _random(drawn, arch) if drawn else by_name[source, weights_arch(arch)]
            rows.append(_words(source, said, arch, card) | _facts(arch, card))
    table = pd.DataFrame(rows)
    return table.astype({"input_size": "Int64"})


def flat(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table as CSV can hold it: dicts and lists as JSON."""
    nested = {"network", "origin", "mean", "std"}
    return table.assign(**{name: table[name].map(json.dumps) for name in nested})


def structure_notes(table: pd.DataFrame) -> list[str]:
    """Return a sentence for each architecture of which the sources brought different networks.

    Args:
        table: what `sources_table` returns. A truncated network differs where its parent does, and
            is not named beside it.
    """
    networks: dict[str, dict[str, str]] = {}
    for row in table.to_dict("records"):
        title = row["parent_title"] if row["parent"] in ARCHITECTURES.names() else row["arch_title"]
        networks.setdefault(title, {})[row["title"]] = structures.called(row["network"])
    return structures.mixed(networks)


def _random(drawn: Drawn, arch: str) -> dict[str, Any]:
    """Return the card of weights that each run draws from its seed."""
    network = drawn["networks"][weights_arch(arch)]
    card = {"network": network, "mean": drawn["mean"], "std": drawn["std"]}
    card["origin"] = {"drawn from each run's seed": initialisation_of(arch).words}
    return card | _size(weights_arch(arch), json.dumps(dict(network)))


def _words(source: str, said: Description, arch: str, card: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "source": source,
        "title": said["title"],
        "kind": said["kind"],
        "arch": arch,
        "arch_title": ARCHITECTURES.get(arch).title,
        "note": said["note"],
        "licence": said["licence"] or card.get("licence"),
        "gated": said["gated"],
        "citation": said["citation"] or card.get("citation"),
    }


def _facts(arch: str, card: Mapping[str, Any]) -> dict[str, Any]:
    network = dict(card.get("network") or network_of(arch))
    parent = ARCHITECTURES.get(arch).parent
    whole = {key: card[key] for key in SIZES}
    left = _size(arch, json.dumps(network)) if parent else whole
    return {
        "network": network,
        "origin": card.get("origin", {}),
        "sha256": card.get("sha256"),
        "mean": list(card["mean"]),
        "std": list(card["std"]),
        "input_size": card.get("input_size"),
        **left,
        "parent": parent,
        "parent_title": ARCHITECTURES.get(parent).title if parent else None,
        "parameters_share": left["parameters"] / whole["parameters"] if parent else None,
        "flops_share": left["flops"] / whole["flops"] if parent else None,
    }


@cache
def _size(arch: str, network: str) -> dict[str, int]:
    """Return `SIZES` of an architecture that is built from a network (JSON), without memory."""
    import torch

    from sourcebench.models import complexity
    from sourcebench.models.input_size import set_input_size

    with torch.device("meta"):
        whole = set_input_size(build_network(json.loads(network)), FLOPS_AT)
        backbone = truncate(arch, whole)
    return {
        "parameters": complexity.parameters(backbone),
        "flops": complexity.flops(backbone, FLOPS_AT),
        "flops_at": FLOPS_AT,
    }
