"""What supplies a source's weights, and what it hands over."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from sourcebench import parameters
from sourcebench.kinds import Kind, Kinds
from sourcebench.machine import CHECKPOINT_MB
from sourcebench.parameters import parameter
from sourcebench.schemas import Schema
from sourcebench.sources.normalisation import USUAL, Normalisation

if TYPE_CHECKING:
    from torch import Tensor

Tensors = dict[str, "Tensor"]
Network = Mapping[str, Any]

STRING: Schema = {"type": "string"}
NAMES: Schema = {
    "type": "array",
    "minItems": 1,
    "uniqueItems": True,
    "items": STRING,
    "description": "a list of names",
}


@dataclass(frozen=True)
class Order:
    """One request for weights.

    Args:
        name: the source's name in the config.
        arch: name of the architecture.
        seed: for weights that are trained here.
        threads: CPU threads for that.
    """

    name: str
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
    network: Network | None = None
    input_size: int | None = None


@dataclass(frozen=True)
class Supplier(Kind):
    """What an entry of `sources` in the config describes: where a backbone's first weights are.

    Args:
        title: the source's name for people; None: that of its entry.
        archs: the architectures that it has weights for; None: those that its other keys name, or
            any.
        licence: of the weights; None: what they say themselves.
        citation: whose weights they are; None: what they say themselves.
        gated: whether their licence has to be accepted before they can be had.
        note: what a reader of the report should know of them.

    Attributes:
        version: raised when the code behind the kind makes other weights of the same.
        by_arch: keys that may hold a table, architecture → value.
        trains: whether getting the weights means training.
        has_weights: whether there is a file of weights; without one, fine-tuning starts from
            its run's seed.
    """

    noun = "Source"
    version: ClassVar[int] = 1
    by_arch: ClassVar[tuple[str, ...]] = ()
    trains: ClassVar[bool] = False
    has_weights: ClassVar[bool] = True

    title: str | None = parameter(None, help="for figures", decides=False)
    archs: list[str] | None = parameter(
        None,
        help="the architectures it has weights for; left out, those that other keys name, or all",
        schema=NAMES,
        decides=False,
    )
    licence: str | None = parameter(
        None, help="for the report; left out, what the weights themselves say", decides=False
    )
    citation: str | None = parameter(
        None, help="for the report; left out, what the weights themselves say", decides=False
    )
    gated: bool = parameter(
        False,
        help="whether a licence has to be accepted before the weights can be had",
        decides=False,
    )
    note: str | None = parameter(
        None,
        help="what a reader of the report should know, such as that it has seen a task's images",
        decides=False,
    )

    @property
    def covers(self) -> tuple[str, ...] | None:
        """The architectures that it has weights for; None: any."""
        return tuple(self.archs) if self.archs else None

    @property
    def tables(self) -> dict[str, Mapping[str, Any]]:
        """What is said for single architectures: key → architecture → value."""
        values = {key: getattr(self, key) for key in self.by_arch}
        return {key: value for key, value in values.items() if isinstance(value, Mapping)}

    @property
    def normalisation(self) -> Normalisation:
        """What images the weights are to see, as far as the config tells."""
        return USUAL

    @property
    def uses_card(self) -> bool:
        """Whether getting the weights may use a graphics card."""
        return False

    @property
    def memory(self) -> int:
        """About how much memory getting the weights takes, MB."""
        return CHECKPOINT_MB

    def deciding(self, arch: str) -> dict[str, Any]:
        """Return the values that decide the weights of one architecture, by their keys.

        Neither what only tells about the source, nor what is said of other architectures.
        """
        values = parameters.deciding(self)
        values |= {key: of.get(arch) for key, of in self.tables.items() if key in values}
        return {key: value for key, value in values.items() if value is not None}

    def network(self, arch: str) -> Network | None:
        """Return the exact network that the weights are of, as far as the config tells.

        None: the architecture's own, or one that only the weights themselves will tell.
        """
        return None

    def fingerprint(self, arch: str) -> Any:
        """Return what decides an architecture's weights, is not in the config and can change.

        It is asked for at every plan, so that it has to cost little: a file of a gigabyte is read
        in a second.

        Returns:
            What JSON can hold; None where the entry alone decides.
        """
        return None

    @abstractmethod
    def supply(self, order: Order) -> Supply:
        """Return the weights that were ordered.

        Raises:
            SourceBenchError: they can't be had, or don't fit the architecture.
        """


KINDS: Kinds[Supplier] = Kinds("kind of source")
