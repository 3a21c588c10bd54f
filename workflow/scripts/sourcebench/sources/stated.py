"""Sources whose entry states what images and which networks their weights are for."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

from sourcebench.parameters import WrongParameter, parameter
from sourcebench.schemas import Schema
from sourcebench.sources.base import STRING, Network, Supplier
from sourcebench.sources.normalisation import RANGE, USUAL, Normalisation


def _values(item: Schema) -> Schema:
    """Return the schema of one value for all channels, or one for each."""
    return {
        "oneOf": [item, {"type": "array", "minItems": 3, "maxItems": 3, "items": item}],
        "description": "a number, or three in the order of `channels`",
    }


IMAGES: dict[str, Schema] = {
    "mean": _values({"type": "number"}),
    "std": _values({"type": "number", "exclusiveMinimum": 0}),
    "range": {
        "type": "array",
        "minItems": 2,
        "maxItems": 2,
        "items": {"type": "number"},
        "description": "the lowest and the highest value",
    },
    "channels": {"enum": ["RGB", "BGR", "grey"]},
    "input_size": {"type": "integer", "minimum": 1, "description": "a whole number of px"},
}
"""The keys that tell of images, with their schemas."""

NETWORKS: Schema = {
    "type": "object",
    "additionalProperties": {
        "type": "object",
        "required": ["builder"],
        "properties": {"builder": STRING},
    },
    "description": "architecture → builder and its options",
}


@dataclass(frozen=True)
class Stated(Supplier):
    """A source whose entry states what images and which networks its weights are for.

    Args:
        mean: of those images, a number or three in the order of `channels`; None: as `USUAL`.
        std: their standard deviation, likewise.
        range: the values that they span.
        channels: 'RGB', 'BGR', or 'grey' for a network of one channel.
        input_size: their side in px, for the card; None: unknown.
        networks: the exact network per architecture, where it is not the plain one.
    """

    by_arch: ClassVar[tuple[str, ...]] = ("networks",)

    mean: float | list[float] | None = parameter(
        None,
        help="mean of the images, in their own values; left out, 0.5 with a std of 0.25",
        schema=IMAGES["mean"],
    )
    std: float | list[float] = parameter(
        1, help="their standard deviation; counts with a mean", schema=IMAGES["std"]
    )
    range: list[float] | tuple[float, float] = parameter(
        RANGE, help="the values that the images span", schema=IMAGES["range"]
    )
    channels: str = parameter(
        "RGB",
        help="the order of the images' channels; grey is for a network of one channel",
        schema=IMAGES["channels"],
    )
    input_size: int | None = parameter(
        None, help="side of the images, for the report", schema=IMAGES["input_size"]
    )
    networks: dict[str, Any] | None = parameter(
        None, help="the exact network, where it is not the plain one", schema=NETWORKS
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        low, high = self.range
        if not low < high:
            text = f"is {list(self.range)}; the first of the two must be the lower one."
            raise WrongParameter(f"{self.noun} '{self.kind}'", "range", text)

    @property
    def normalisation(self) -> Normalisation:
        """What the images become before a network sees them."""
        if self.mean is None:
            return USUAL
        return Normalisation.of(self.mean, self.std, self.range, self.channels)

    def network(self, arch: str) -> Network | None:
        """Return the exact network that the entry names; None: the architecture's own."""
        return (self.networks or {}).get(arch)
