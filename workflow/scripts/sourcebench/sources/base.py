"""What a kind of source is, and what it hands over."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, TypedDict

from sourcebench.errors import SourceBenchError
from sourcebench.registry import Registry

if TYPE_CHECKING:
    from torch import Tensor, nn

Specification = Mapping[str, Any]
Schema = dict[str, Any]
Tensors = dict[str, "Tensor"]
Triple = tuple[float, float, float]


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
# Keys of a specification that tell about a source, and on which its weights do not depend.
ABOUT = ("title", "archs", "licence", "citation", "gated", "note", "help")
RANGE = (0.0, 1.0)


def triple(values: Any) -> Triple:
    """Return three floats, from a list as configs and cards hold it, or from one number."""
    red, green, blue = (
        [float(values)] * 3 if isinstance(values, int | float) else map(float, values)
    )
    return red, green, blue


@dataclass(frozen=True)
class Normalisation:
    """How images become what the weights were trained on; it belongs to the weights.

    Args:
        mean: per channel, of images scaled to [0, 1].
        std: per channel, of images scaled to [0, 1].
    """

    mean: Triple = (0.5, 0.5, 0.5)
    std: Triple = (0.25, 0.25, 0.25)

    @classmethod
    def of(cls, spec: Specification) -> Normalisation:
        """Return the normalisation that a specification describes in its network's own terms.

        Args:
            spec: `mean` and `std` (a number, or three in the order of `channels`), for images
                whose values span `range` (default: [0, 1]); `channels` 'BGR' turns the order.
        """
        low, high = spec.get("range", RANGE)
        mean = [(value - low) / (high - low) for value in triple(spec["mean"])]
        std = [value / (high - low) for value in triple(spec["std"])]
        step = -1 if spec.get("channels") == "BGR" else 1
        return cls(triple(mean[::step]), triple(std[::step]))

    def __call__(self, images: Tensor) -> Tensor:
        """Return grey images as a network takes them.

        Args:
            images: N×H×W, uint8 or float, values in [0, 255].

        Returns:
            N×3×H×W float32 in channels_last: (image / 255 − mean) / std, in each channel.
        """
        import torch

        # Sent without waiting, so that a batch does not stop a card; but to Apple's, where that
        # reads memory that is free again by then (pytorch issue 189690).
        slope = torch.tensor([1 / (255 * std) for std in self.std])
        offset = torch.tensor([-mean / std for mean, std in zip(self.mean, self.std, strict=True)])
        slope = slope.to(images.device, non_blocking=images.is_cuda)
        offset = offset.to(images.device, non_blocking=images.is_cuda)
        grey = images.to(torch.float32)[..., None]
        return torch.addcmul(offset, grey, slope).permute(0, 3, 1, 2)


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
    mean: Triple
    std: Triple
    input_size: int | None
    parameters: int
    flops: int
    flops_at: int


@dataclass(frozen=True)
class Order:
    """One request for weights.

    Args:
        name: the source's name in the config.
        spec: the source's specification in the config.
        arch: name of the architecture.
        network: the architecture's own network.
        build: builds a network without memory (on PyTorch's meta device): names and shapes that
            the weights have to fit.
        pretrain: pretrains a backbone on generated images and returns its tensors and a summary;
            handed in like `build`, since models and training are built upon sources and not the
            other way round.
    """

    name: str
    spec: Specification
    arch: str
    network: Mapping[str, Any]
    build: Callable[[Mapping[str, Any]], nn.Module]
    pretrain: Callable[[Specification, str], tuple[Tensors, dict[str, Any]]]


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
        by_arch: keys of a specification that hold a table, architecture → value.
        trains: whether getting the weights means training, for which a card is of use.
        has_weights: whether there is a file of weights; without one, fine-tuning starts from
            its run's seed.
        properties: JSON schemas of the keys that this kind's specifications take.
        required: those of the keys that can't be left out.
    """

    version = 1
    by_arch: ClassVar[tuple[str, ...]] = ()
    trains = False
    has_weights = True
    properties: ClassVar[Schema] = {}
    required: ClassVar[tuple[str, ...]] = ()

    def schema(self) -> Schema:
        """Return the JSON schema of a specification, with what every kind takes."""
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["kind", *self.required],
            "properties": COMMON | self.properties,
        }

    def archs(self, spec: Specification) -> tuple[str, ...] | None:
        """Return the architectures that a specification covers; None: any."""
        return tuple(spec["archs"]) if spec.get("archs") else None

    def deciding(self, spec: Specification, arch: str) -> dict[str, Any]:
        """Return what of a specification decides the weights of one architecture.

        Neither what only tells about the source, nor what is said of other architectures.
        """
        kept = {key: value for key, value in spec.items() if key not in ABOUT}
        return {
            key: value.get(arch) if key in self.by_arch and isinstance(value, Mapping) else value
            for key, value in kept.items()
        }

    def network(self, spec: Specification, arch: str) -> Mapping[str, Any] | None:
        """Return the exact network that the weights are of, as far as the config tells.

        None: the architecture's own, or one that only the weights themselves will tell.
        """
        network: Mapping[str, Any] | None = spec.get("networks", {}).get(arch)
        return network

    def fingerprint(self, spec: Specification, arch: str) -> Any:
        """Return what decides an architecture's weights, is not in the config and can change.

        It is asked for at every plan, so that it has to cost next to nothing.

        Returns:
            What JSON can hold; None where the specification alone decides.
        """
        return None

    def normalisation(self, spec: Specification) -> Normalisation:
        """Return what images random weights are to see; a file's weights know their own."""
        return Normalisation()

    @abstractmethod
    def supply(self, order: Order) -> Supply:
        """Return the weights that were ordered.

        Raises:
            SourceBenchError: they can't be had, or don't fit the architecture.
        """


KINDS: Registry[Kind] = Registry("kind of source")


def check_arch(name: str, spec: Specification, arch: str) -> None:
    """Make sure that a source has weights for an architecture.

    Raises:
        SourceBenchError: it has none; the message lists those it has.
    """
    archs = KINDS.get(spec["kind"]).archs(spec)
    if archs is not None and arch not in archs:
        raise SourceBenchError(
            f"Source '{name}' has no weights for architecture '{arch}'; it has them for: "
            f"{', '.join(archs)}. Add '{arch}' to sources.{name} or take it out of the study."
        )
