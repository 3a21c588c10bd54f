"""A source of a study: where the first weights of its networks come from."""

import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sourcebench.errors import SourceBenchError
from sourcebench.models import ARCHITECTURES, NETWORKS, network_of, weights_arch
from sourcebench.schemas import known
from sourcebench.sources import KINDS, Supplier
from sourcebench.sources.card import Description, Drawn
from sourcebench.sources.normalisation import USUAL, Values
from sourcebench.study.entries import Entry


@dataclass(frozen=True)
class Source:
    """A source that a study has chosen.

    Attributes:
        name: of the entry.
        entry: as the config has it.
        supplier: what the entry describes.
        archs: the architectures, of the experiment and of tasks, that it has weights for.
    """

    name: str
    entry: Entry
    supplier: Supplier
    archs: tuple[str, ...]

    @classmethod
    def of(cls, name: str, entry: Entry, archs: Mapping[str, Sequence[str]]) -> "Source":
        """Check an entry, and return the source.

        Args:
            name: of the entry.
            entry: of the config.
            archs: those that are chosen, by the keys of the config that name them.

        Raises:
            SourceBenchError: an unknown kind or key, a wrong value, or weights for none of the
                architectures under a key.
        """
        key = f"sources.{name}"
        known(f"{key}.kind", [entry["kind"]], KINDS)
        supplier = KINDS.from_entry(entry, key)
        known(f"{key}.archs", supplier.archs or [], ARCHITECTURES)
        for table, values in supplier.tables.items():
            known(f"{key}.{table}", values, ARCHITECTURES)
        for arch, network in supplier.tables.get("networks", {}).items():
            _check_network(f"{key}.networks.{arch}", network)
        covered = supplier.covers
        there: list[str] = []
        for named, wanted in archs.items():
            had = [a for a in wanted if covered is None or weights_arch(a) in covered]
            if not had:
                raise SourceBenchError(
                    f"{named} is {wanted}, for none of which the source '{name}' has weights; "
                    f"it has them for: {', '.join(covered or ())}."
                )
            there += had
        return cls(name, entry, supplier, tuple(dict.fromkeys(there)))

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.supplier.title or self.name

    @property
    def has_weights(self) -> bool:
        """Whether it has a file of weights, rather than random ones from a run's seed."""
        return self.supplier.has_weights

    @property
    def weights(self) -> tuple[str, ...]:
        """The architectures whose weights are needed: a truncated one takes its parent's."""
        return tuple(dict.fromkeys(map(weights_arch, self.archs)))

    @property
    def normalisation(self) -> tuple[Values, Values]:
        """Mean and deviation of the images for random weights; files know their own."""
        images = USUAL if self.has_weights else self.supplier.normalisation
        return images.mean, images.std

    @property
    def described(self) -> Description:
        """What the table of sources says of it: all that isn't on the cards of its weights."""
        supplier = self.supplier
        mean, std = self.normalisation
        networks = {arch: self.network(arch) for arch in self.weights}
        return Description(
            title=self.title,
            kind=supplier.kind,
            note=supplier.note,
            licence=supplier.licence,
            gated=supplier.gated,
            citation=supplier.citation,
            drawn=None if self.has_weights else Drawn(mean=mean, std=std, networks=networks),
        )

    def structure(self, arch: str) -> Mapping[str, Any] | None:
        """Return the exact network of random weights, where one is named; files know theirs."""
        return None if self.has_weights else self.supplier.network(weights_arch(arch))

    def network(self, arch: str) -> Mapping[str, Any]:
        """Return the network of an architecture's weights, as far as the config tells."""
        return self.supplier.network(arch) or network_of(arch)

    def seed(self, study: int) -> int:
        """Return the seed that its weights depend on: 0 for those that are not trained here."""
        return study if self.supplier.trains else 0

    @property
    def cards(self) -> int:
        """How many graphics cards getting its weights may use: 0 or 1."""
        return int(self.supplier.uses_card)

    @property
    def memory(self) -> int:
        """About how much memory getting its weights takes, MB."""
        return self.supplier.memory


def _check_network(key: str, network: Mapping[str, Any]) -> None:
    """Check an exact network: its builder, and that builder's options where it has a fixed set."""
    known(f"{key}.builder", [network["builder"]], NETWORKS)
    options = inspect.signature(NETWORKS.get(network["builder"])).parameters
    if not any(option.kind is option.VAR_KEYWORD for option in options.values()):
        known(key, network, ["builder", *(name for name in options if name != "channels")])
