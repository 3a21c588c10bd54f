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
    Kind,
    Order,
    Schema,
    Specification,
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

    def deciding(self, spec: Specification, arch: str) -> dict[str, Any]:
        """Return what of a specification decides the weights of one architecture."""
        kept = super().deciding(spec, arch)
        return kept | ({"rename": _renames(spec, arch)} if "rename" in kept else {})

    def network(self, spec: Specification, arch: str) -> Mapping[str, Any] | None:
        """Return the exact network that the weights are of: that of Keras for a file of Keras'."""
        if self.name_of(spec, arch).endswith(containers.KERAS) and arch in FAMILIES.names():
            return FAMILIES.get(arch).network
        return super().network(spec, arch)

    @abstractmethod
    def name_of(self, spec: Specification, arch: str) -> str:
        """Return the name of an architecture's file, as far as it is known."""

    def spec_of(self, spec: Specification, arch: str, file: str) -> Specification:
        """Return a specification with what is different for an architecture, or for one file."""
        return {**spec, **spec.get("per_arch", {}).get(arch, {})}

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
        spec = self.spec_of(order.spec, order.arch, path.name)
        digest = sha256_of(path)
        expected = checksum(spec, order.arch)
        if expected and digest != expected:
            raise SourceBenchError(
                f"{path} is not the file that sources.{order.name}.sha256 announces: its SHA-256 "
                f"is {digest}. Fetch it again, or correct the checksum."
            )
        with containers.opened(path) as file:
            tensors, network = _converted(file, replace(order, spec=spec))
        return Supply(
            tensors=tensors,
            normalisation=Normalisation.of(spec),
            origin=origin,
            sha256=digest,
            network=network,
            input_size=spec.get("input_size"),
        )


def checksum(spec: Specification, arch: str) -> str | None:
    """Return the SHA-256 that a specification announces for an architecture, in lower case."""
    expected = spec.get("sha256")
    expected = expected.get(arch) if isinstance(expected, dict) else expected
    return expected.lower() if expected else None


def choices(spec: Specification, arch: str) -> list[str]:
    """Return the names of an architecture's files in `files`, the preferred one first."""
    named = spec.get("files", {}).get(arch, [])
    return [named] if isinstance(named, str) else list(named)


def _converted(path: Path, order: Order) -> tuple[Tensors, Any]:
    from sourcebench.sources.fitting import fit, take_rgb
    from sourcebench.sources.formats.checkpoints import read

    spec, arch, what = order.spec, order.arch, str(path)
    channels = spec.get("channels", "RGB")
    if path.suffix in containers.KERAS:
        from sourcebench.sources.formats import keras_h5

        tensors, network = keras_h5.convert(path, arch)
        return take_rgb(tensors, outline(network), channels, what=what), network
    network = spec.get("networks", {}).get(arch)
    backbone = outline(network or network_of(arch))
    tensors = fit(
        read(path), backbone, _renames(spec, arch), what=what, arch=arch, channels=channels
    )
    return tensors, network


def _renames(spec: Specification, arch: str) -> dict[str, str | None]:
    """Return the prefixes to rename for an architecture, old → new."""
    rename: dict[str, Any] = spec.get("rename") or {}
    if any(isinstance(new, dict) for new in rename.values()):
        rename = rename.get(arch) or {}
    return rename
