"""A source of a study: where the first weights of its networks come from."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sourcebench.errors import SourceBenchError
from sourcebench.machine import CHECKPOINT_MB, training_mb
from sourcebench.models import ARCHITECTURES, NETWORKS, network_of, weights_arch
from sourcebench.schemas import fits, known
from sourcebench.sources import KINDS, Kind
from sourcebench.sources.normalisation import Values
from sourcebench.study.entries import Entry


@dataclass(frozen=True)
class Source:
    """A source that a study has chosen.

    Attributes:
        name: of the entry.
        entry: as its kind takes it.
        archs: the experiment's architectures that it has weights for.
    """

    name: str
    entry: Entry
    archs: tuple[str, ...]

    @classmethod
    def of(cls, name: str, entry: Entry, archs: Sequence[str]) -> "Source":
        """Check an entry, and return the source.

        Args:
            name: of the entry.
            entry: of the config.
            archs: the experiment's.

        Raises:
            SourceBenchError: an unknown kind or key, a wrong value, or weights for none of the
                architectures.
        """
        key = f"sources.{name}"
        known(f"{key}.kind", [entry["kind"]], KINDS.names())
        kind = KINDS.get(entry["kind"])
        fits(entry, kind.schema(), key)
        known(f"{key}.archs", entry.get("archs", []), ARCHITECTURES.names())
        for table in kind.by_arch:
            if isinstance(entry.get(table), Mapping):
                known(f"{key}.{table}", entry[table], ARCHITECTURES.names())
        for arch, network in entry.get("networks", {}).items():
            _check_network(f"{key}.networks.{arch}", network)
        limited = kind.archs(entry)
        there = tuple(a for a in archs if limited is None or weights_arch(a) in limited)
        if not there:
            raise SourceBenchError(
                f"experiment.archs is {archs}, for none of which the source '{name}' has weights; "
                f"it has them for: {', '.join(limited or ())}."
            )
        return cls(name, entry, there)

    @property
    def kind(self) -> Kind:
        """The kind of source."""
        return KINDS.get(self.entry["kind"])

    @property
    def title(self) -> str:
        """Its name for people."""
        return str(self.entry.get("title", self.name))

    @property
    def has_weights(self) -> bool:
        """Whether it has a file of weights, rather than random ones from a run's seed."""
        return self.kind.has_weights

    @property
    def weights(self) -> tuple[str, ...]:
        """The architectures whose weights are needed: a truncated one takes its parent's."""
        return tuple(dict.fromkeys(map(weights_arch, self.archs)))

    @property
    def normalisation(self) -> tuple[Values, Values]:
        """Mean and deviation of the images for random weights; files know their own."""
        images = self.kind.normalisation(self.entry)
        return images.mean, images.std

    @property
    def described(self) -> dict[str, Any]:
        """What the table of sources says of it: all that isn't on the cards of its weights."""
        told = ("kind", "title", "note", "licence", "gated", "citation")
        entry = self.entry.items()
        return {key: value for key, value in entry if key in told or not self.has_weights}

    def structure(self, arch: str) -> dict[str, Any] | None:
        """Return the exact network of random weights, where one is named; files know theirs."""
        networks = self.entry.get("networks", {})
        return None if self.has_weights else networks.get(weights_arch(arch))

    def network(self, arch: str) -> Mapping[str, Any]:
        """Return the network of an architecture's weights, as far as the config tells."""
        return self.kind.network(self.entry, arch) or network_of(arch)

    def seed(self, study: int) -> int:
        """Return the seed that its weights depend on: 0 for those that are not trained here."""
        return study if self.kind.trains else 0

    @property
    def cards(self) -> int:
        """How many graphics cards getting its weights may use: 0 or 1."""
        return int(self.kind.trains and self.entry.get("accelerator", "auto") != "cpu")

    @property
    def memory(self) -> int:
        """About how much memory getting its weights takes, MB."""
        if not self.kind.trains:
            return CHECKPOINT_MB
        batch_size = self.entry.get("batch_size", 64)
        images, size = self.entry["images"], self.entry["size"]
        return training_mb(images, size, batch_size, card=self.cards > 0)


def _check_network(key: str, network: Mapping[str, Any]) -> None:
    """Check an exact network: its builder, and that builder's options where it has a fixed set."""
    known(f"{key}.builder", [network["builder"]], NETWORKS.names())
    options = inspect.signature(NETWORKS.get(network["builder"])).parameters
    if not any(option.kind is option.VAR_KEYWORD for option in options.values()):
        known(key, network, ["builder", *options])
