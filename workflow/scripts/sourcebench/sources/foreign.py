"""What the sources share that take somebody's file of weights and convert it."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from sourcebench.errors import SourceBenchError
from sourcebench.models import network_of, outline
from sourcebench.parameters import parameter
from sourcebench.schemas import Schema
from sourcebench.sources.base import Network, Order, Supply, Tensors
from sourcebench.sources.formats import containers
from sourcebench.sources.formats.keras_layers import FAMILIES
from sourcebench.sources.stated import IMAGES, Stated

CHECKSUM: Schema = {
    "type": "string",
    "pattern": "^[0-9a-fA-F]{64}$",
    "description": "64 hexadecimal digits",
}
CHECKSUMS: Schema = {
    "oneOf": [
        CHECKSUM,
        {
            "type": "object",
            "additionalProperties": CHECKSUM,
            "description": "a table of them by architecture",
        },
    ]
}
PREFIX: Schema = {"type": ["string", "null"], "description": "a prefix"}
RENAMED: Schema = {
    "type": "object",
    "additionalProperties": {
        "oneOf": [
            PREFIX,
            {
                "type": "object",
                "additionalProperties": PREFIX,
                "description": "a table from old to new",
            },
        ]
    },
    "description": "old prefix → new one (or null), or architecture → such a table",
}


def images_by(what: str) -> Schema:
    """Return the schema of a table of what differs in the images, by architecture or by file."""
    images = {"type": "object", "additionalProperties": False, "properties": IMAGES}
    return {
        "type": "object",
        "additionalProperties": images,
        "description": f"{what} → any of {', '.join(IMAGES)}",
    }


@dataclass(frozen=True)
class Foreign(Stated):
    """A file of weights that somebody made, converted to a network of ours.

    Args:
        mean: of the images that the network was trained on, in their own values.
        std: their standard deviation.
        per_arch: what is different about the images for single architectures.
        rename: prefixes of tensors' names, old → new (for all architectures, or
            `{arch: {old: new}}`); to None: the tensor is dropped.
        sha256: the file's checksum, or one for each architecture; another file is refused.
        help: where to get the file.
    """

    by_arch: ClassVar[tuple[str, ...]] = ("per_arch", "networks", "sha256")

    mean: float | list[float] = parameter(
        help="mean of the images that the weights were trained on, in their own values",
        schema=IMAGES["mean"],
    )
    std: float | list[float] = parameter(
        help="standard deviation of these images", schema=IMAGES["std"]
    )
    per_arch: dict[str, Any] | None = parameter(
        None, help="what differs for an architecture", schema=images_by("architecture")
    )
    rename: dict[str, Any] | None = parameter(
        None, help="prefixes of the tensors' names; what becomes null is dropped", schema=RENAMED
    )
    sha256: str | dict[str, str] | None = parameter(
        None, help="the file's checksum; a file with another one is refused", schema=CHECKSUMS
    )
    help: str | None = parameter(None, help="what to say where the file is missing", decides=False)

    def deciding(self, arch: str) -> dict[str, Any]:
        """Return the values that decide the weights of one architecture, by their keys."""
        kept = super().deciding(arch)
        kept.pop("rename", None)
        renames = self._renames(arch)
        return kept | ({"rename": renames} if renames else {})

    def network(self, arch: str) -> Network | None:
        """Return the exact network that the weights are of: that of Keras for a file of Keras'."""
        if self.name_of(arch).endswith(containers.KERAS) and arch in FAMILIES.names():
            return FAMILIES.get(arch).network
        return super().network(arch)

    def checksum(self, arch: str) -> str | None:
        """Return the SHA-256 that is announced for an architecture, in lower case."""
        expected = self.sha256.get(arch) if isinstance(self.sha256, dict) else self.sha256
        return expected.lower() if expected else None

    def exactly(self, arch: str, file: str) -> Self:
        """Return the source as it is for an architecture, and for one file of it."""
        return replace(self, **(self.per_arch or {}).get(arch, {}))

    @abstractmethod
    def name_of(self, arch: str) -> str:
        """Return the name of an architecture's file, as far as it is known."""

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
        digest, expected = sha256_of(path), self.checksum(order.arch)
        if expected and digest != expected:
            raise SourceBenchError(
                f"{path} is not the file that sources.{order.name}.sha256 announces: its SHA-256 "
                f"is {digest}. Fetch it again, or correct the checksum."
            )
        exact = self.exactly(order.arch, path.name)
        with containers.opened(path) as file:
            tensors, network = exact._converted(file, order.arch)
        return Supply(
            tensors=tensors,
            normalisation=exact.normalisation,
            origin=origin,
            sha256=digest,
            network=network,
            input_size=exact.input_size,
        )

    def _converted(self, path: Path, arch: str) -> tuple[Tensors, Network | None]:
        """Return a file's tensors, and the exact network they are of; None: the plain one."""
        from sourcebench.sources.fitting import fit, take_rgb
        from sourcebench.sources.formats.checkpoints import read

        what, channels = str(path), self.channels
        if path.suffix in containers.KERAS:
            from sourcebench.sources.formats import keras_h5

            tensors, keras = keras_h5.convert(path, arch)
            return take_rgb(tensors, outline(keras), channels, what=what), keras
        network = super().network(arch)
        backbone = outline(network or network_of(arch))
        renames = self._renames(arch)
        tensors = fit(read(path), backbone, renames, what=what, arch=arch, channels=channels)
        return tensors, network

    def _renames(self, arch: str) -> dict[str, str | None]:
        """Return the prefixes to rename for an architecture, old → new."""
        rename = self.rename or {}
        if any(isinstance(new, dict) for new in rename.values()):
            rename = rename.get(arch) or {}
        return rename
