"""What a kind of source is, and what it hands over."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from sourcebench.errors import SourceBenchError
from sourcebench.registry import Registry
from sourcebench.sources.normalisation import USUAL, Normalisation

if TYPE_CHECKING:
    from torch import Tensor

Entry = Mapping[str, Any]
Schema = dict[str, Any]
Tensors = dict[str, "Tensor"]


STRING: Schema = {"type": "string"}
COMMON: Schema = {
    "kind": STRING,
    "title": STRING,
    "archs": {"type": "array", "minItems": 1, "uniqueItems": True, "items": STRING},
    "licence": STRING,
    "citation": STRING,
    "gated": {"type": "boolean", "description": "whether a licence has to be accepted first"},
    "note": STRING,
}


def _values(item: Schema) -> Schema:
    """Return the schema of one value for all channels, or one for each."""
    return {"oneOf": [item, {"type": "array", "minItems": 3, "maxItems": 3, "items": item}]}


IMAGES: Schema = {
    "mean": _values({"type": "number"}),
    "std": _values({"type": "number", "exclusiveMinimum": 0}),
    "range": {"type": "array", "minItems": 2, "maxItems": 2, "items": {"type": "number"}},
    "channels": {"enum": ["RGB", "BGR", "grey"]},
    "input_size": {"type": "integer", "minimum": 1},
}
NETWORKS: Schema = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["builder"],
        "properties": {"builder": STRING},
    },
}
# Keys of an entry that tell about a source, and on which its weights do not depend.
ABOUT = ("title", "archs", "licence", "citation", "gated", "note", "help")


@dataclass(frozen=True)
class Order:
    """One request for weights.

    Args:
        name: the source's name in the config.
        entry: the source's entry in the config.
        arch: name of the architecture.
        seed: for weights that are trained here.
        threads: CPU threads for that.
    """

    name: str
    entry: Entry
    arch: str
    seed: int
    threads: int


@dataclass(frozen=True)
class Supply:
    """Weights of a backbone, and what goes on their card (see `Card`).

    `network` is None for the architecture's own.
    """

    tensors: Tensors
    normalisation: Normalisation
    origin: dict[str, Any]
    sha256: str | None = None
    licence: str | None = None
    citation: str | None = None
    network: Mapping[str, Any] | None = None
    input_size: int | None = None


class Kind(ABC):
    """A kind of source.

    Attributes:
        version: raised when the code behind the kind makes other weights of the same.
        by_arch: keys of an entry that hold a table, architecture → value.
        trains: whether getting the weights means training, for which a card is of use.
        has_weights: whether there is a file of weights; without one, fine-tuning starts from
            its run's seed.
        properties: JSON schemas of the keys that this kind's entries take.
        required: those of the keys that can't be left out.
    """

    version = 1
    by_arch: ClassVar[tuple[str, ...]] = ()
    trains = False
    has_weights = True
    properties: ClassVar[Schema] = {}
    required: ClassVar[tuple[str, ...]] = ()

    def schema(self) -> Schema:
        """Return the JSON schema of an entry, with what every kind takes."""
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["kind", *self.required],
            "properties": COMMON | self.properties,
        }

    def archs(self, entry: Entry) -> tuple[str, ...] | None:
        """Return the architectures that an entry covers; None: any."""
        return tuple(entry["archs"]) if entry.get("archs") else None

    def deciding(self, entry: Entry, arch: str) -> dict[str, Any]:
        """Return what of an entry decides the weights of one architecture.

        Neither what only tells about the source, nor what is said of other architectures.
        """
        kept = {key: value for key, value in entry.items() if key not in ABOUT}
        return {
            key: value.get(arch) if key in self.by_arch and isinstance(value, Mapping) else value
            for key, value in kept.items()
        }

    def network(self, entry: Entry, arch: str) -> Mapping[str, Any] | None:
        """Return the exact network that the weights are of, as far as the config tells.

        None: the architecture's own, or one that only the weights themselves will tell.
        """
        network: Mapping[str, Any] | None = entry.get("networks", {}).get(arch)
        return network

    def fingerprint(self, entry: Entry, arch: str) -> Any:
        """Return what decides an architecture's weights, is not in the config and can change.

        It is asked for at every plan, so that it has to cost little: a file of a gigabyte is read
        in a second.

        Returns:
            What JSON can hold; None where the entry alone decides.
        """
        return None

    def normalisation(self, entry: Entry) -> Normalisation:
        """Return what images random weights are to see; a file's weights know their own."""
        return USUAL

    @abstractmethod
    def supply(self, order: Order) -> Supply:
        """Return the weights that were ordered.

        Raises:
            SourceBenchError: they can't be had, or don't fit the architecture.
        """


KINDS: Registry[Kind] = Registry("kind of source")


def check_arch(name: str, entry: Entry, arch: str) -> None:
    """Make sure that a source has weights for an architecture.

    Raises:
        SourceBenchError: it has none; the message lists those it has.
    """
    archs = KINDS.get(entry["kind"]).archs(entry)
    if archs is not None and arch not in archs:
        raise SourceBenchError(
            f"Source '{name}' has no weights for architecture '{arch}'; it has them for: "
            f"{', '.join(archs)}. Add '{arch}' to sources.{name} or take it out of the study."
        )
