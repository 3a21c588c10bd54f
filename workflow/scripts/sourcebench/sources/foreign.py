"""What the kinds of source share that take somebody's file of weights and convert it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

from sourcebench.errors import SourceBenchError
from sourcebench.models import network_of, outline
from sourcebench.sources.base import (
    IMAGES,
    NETWORKS,
    STRING,
    Entry,
    Kind,
    Order,
    Schema,
    Supply,
    Tensors,
)
from sourcebench.sources.formats import containers
from sourcebench.sources.formats.keras_layers import FAMILIES
from sourcebench.sources.normalisation import Normalisation

CHECKSUM: Schema = {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}
CHECKSUMS: Schema = {"oneOf": [CHECKSUM, {"type": "object", "additionalProperties": CHECKSUM}]}
PREFIX: Schema = {"type": ["string", "null"]}
NAMES: Schema = {"oneOf": [STRING, {"type": "array", "minItems": 1, "items": STRING}]}


class Foreign(Kind):
    """A file of weights that somebody made, converted to a network of ours.

    `mean`, `std`, `range` and `channels` say what images the network was trained on; `networks`
    names the exact network per architecture where it is not the plain one; `rename` maps prefixes
    of tensor names (for all architectures, or `{arch: {old: new}}`; null drops the tensor);
    `input_size` is the side of those images in pixels, for the card; `per_arch` holds what is
    different for single architectures; `help` tells where to get the file.
    """

    properties: ClassVar[Schema] = IMAGES | {
        "per_arch": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "properties": IMAGES,
            },
        },
        "networks": NETWORKS,
        "rename": {
            "type": "object",
            "additionalProperties": {
                "oneOf": [PREFIX, {"type": "object", "additionalProperties": PREFIX}]
            },
        },
        "sha256": CHECKSUMS,
        "help": STRING,
    }
    required: ClassVar[tuple[str, ...]] = ("mean", "std")
    by_arch: ClassVar[tuple[str, ...]] = ("per_arch", "networks", "sha256")

    def deciding(self, entry: Entry, arch: str) -> dict[str, Any]:
        """Return what of an entry decides the weights of one architecture."""
        kept = super().deciding(entry, arch)
        return kept | ({"rename": _renames(entry, arch)} if "rename" in kept else {})

    def network(self, entry: Entry, arch: str) -> Mapping[str, Any] | None:
        """Return the exact network that the weights are of: that of Keras for a file of Keras'."""
        if self.name_of(entry, arch).endswith(containers.KERAS) and arch in FAMILIES.names():
            return FAMILIES.get(arch).network
        return super().network(entry, arch)

    @abstractmethod
    def name_of(self, entry: Entry, arch: str) -> str:
        """Return the name of an architecture's file, as far as it is known."""

    def entry_of(self, entry: Entry, arch: str, file: str) -> Entry:
        """Return an entry with what is different for an architecture, or for one file."""
        return {**entry, **entry.get("per_arch", {}).get(arch, {})}

    @abstractmethod
    def locate(self, order: Order) -> tuple[Path, dict[str, Any]]:
        """Return where the file is, and what of its origin goes on the card.

        Raises:
            SourceBenchError: it can't be had.
        """

    def supply(self, order: Order) -> Supply:
        """Return the file's tensors, under the names of the network they belong to.

        Raises:
            SourceBenchError: the file can't be had, has another checksum, is no checkpoint that
                can be read safely, or belongs to another architecture.
        """
        from sourcebench.sources.formats.checkpoints import sha256_of

        path, origin = self.locate(order)
        entry = self.entry_of(order.entry, order.arch, path.name)
        digest = sha256_of(path)
        expected = checksum(entry, order.arch)
        if expected and digest != expected:
            raise SourceBenchError(
                f"{path} is not the file that sources.{order.name}.sha256 announces: its SHA-256 "
                f"is {digest}. Fetch it again, or correct the checksum."
            )
        with containers.opened(path) as file:
            tensors, network = _converted(file, replace(order, entry=entry))
        return Supply(
            tensors=tensors,
            normalisation=Normalisation.of(entry),
            origin=origin,
            sha256=digest,
            network=network,
            input_size=entry.get("input_size"),
        )


def checksum(entry: Entry, arch: str) -> str | None:
    """Return the SHA-256 that an entry announces for an architecture, in lower case."""
    expected = entry.get("sha256")
    expected = expected.get(arch) if isinstance(expected, dict) else expected
    return expected.lower() if expected else None


def choices(entry: Entry, arch: str) -> list[str]:
    """Return the names of an architecture's files in `files`, the preferred one first."""
    named = entry.get("files", {}).get(arch, [])
    return [named] if isinstance(named, str) else list(named)


def _converted(path: Path, order: Order) -> tuple[Tensors, Any]:
    from sourcebench.sources.fitting import fit, take_rgb
    from sourcebench.sources.formats.checkpoints import read

    entry, arch, what = order.entry, order.arch, str(path)
    channels = entry.get("channels", "RGB")
    if path.suffix in containers.KERAS:
        from sourcebench.sources.formats import keras_h5

        tensors, network = keras_h5.convert(path, arch)
        return take_rgb(tensors, outline(network), channels, what=what), network
    network = entry.get("networks", {}).get(arch)
    backbone = outline(network or network_of(arch))
    tensors = fit(
        read(path), backbone, _renames(entry, arch), what=what, arch=arch, channels=channels
    )
    return tensors, network


def _renames(entry: Entry, arch: str) -> dict[str, str | None]:
    """Return the prefixes to rename for an architecture, old → new."""
    rename: dict[str, Any] = entry.get("rename") or {}
    if any(isinstance(new, dict) for new in rename.values()):
        rename = rename.get(arch) or {}
    return rename
