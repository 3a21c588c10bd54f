"""What is known of a file of weights, and what a config says of its source."""

from collections.abc import Mapping
from typing import Any, TypedDict

from sourcebench.sources.normalisation import Values

FLOPS_AT = 224  # pixels: the same for all, so that networks can be compared


class Card(TypedDict):
    """What is known of a file of weights; it travels inside the file, and beside it as JSON.

    `network` is the exact network they belong to (see `models.build_network`), `origin` says where
    they come from (a tag, a path, a recipe and its outcome), `sha256` is that of the file they
    were read from, `input_size` the side of the images in pixels that they were trained on (null:
    unknown), `gated` whether their licence has to be accepted before they can be had, `parameters`
    their number, without a head, `flops` the operations for one image of side `flops_at`.
    """

    source: str
    kind: str
    arch: str
    network: dict[str, Any]
    origin: dict[str, Any]
    sha256: str | None
    licence: str | None
    citation: str | None
    gated: bool
    mean: Values
    std: Values
    input_size: int | None
    parameters: int
    flops: int
    flops_at: int


class Drawn(TypedDict):
    """What random weights are for: what stands on the card of others.

    `mean` and `std` are those of the images, `networks` the exact network of each architecture
    (of a truncated one its parent's).
    """

    mean: Values
    std: Values
    networks: Mapping[str, Mapping[str, Any]]


class Description(TypedDict):
    """What a config says of a source for people to read; it is on no card, and costs no weights.

    `note` is what a reader should know, `licence` and `citation` go before those on the card
    (null: not said), `gated` as there; `drawn` is null for a source that has files of weights.
    """

    title: str
    kind: str
    note: str | None
    licence: str | None
    gated: bool
    citation: str | None
    drawn: Drawn | None
