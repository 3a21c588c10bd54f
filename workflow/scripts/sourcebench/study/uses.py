"""What the config makes of artifacts and attributes: confounders, and shifts."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sourcebench.artifacts import ARTIFACTS, Artifact
from sourcebench.attributes import ATTRIBUTES, Attribute
from sourcebench.design import NONE, TEST_SETS
from sourcebench.errors import SourceBenchError
from sourcebench.schemas import known
from sourcebench.traits import Trait

Entry = Mapping[str, Any]


@dataclass(frozen=True)
class Use(ABC):
    """An artifact or attribute of the config.

    Attributes:
        name: of the entry.
        entry: its kind, its parameters, perhaps a title.
    """

    name: str
    entry: Entry

    @property
    @abstractmethod
    def key(self) -> str:
        """Where it stands in the config, for messages."""

    @cached_property
    def trait(self) -> Trait:
        """What the entry describes."""
        attribute = self.entry["kind"] in ATTRIBUTES.names()
        return (ATTRIBUTES if attribute else ARTIFACTS).from_entry(self.entry, self.key)

    @property
    def title(self) -> str:
        """Its name for people."""
        return self.trait.title

    @property
    def artifact(self) -> Artifact | None:
        """What is drawn into images; None for an attribute."""
        return self.trait if isinstance(self.trait, Artifact) else None

    def cards(self, accelerator: str) -> int:
        """Return how many graphics cards drawing it may use: 0 or 1.

        Args:
            accelerator: that of the training. None in a study that trains on the CPU: a cluster
                would wait for a card that it may not have.
        """
        wanted = {accelerator, getattr(self.trait, "accelerator", "auto")}
        return int(self.artifact is not None and self.artifact.uses_card and "cpu" not in wanted)


@dataclass(frozen=True)
class Confounder(Use):
    """An artifact or attribute that goes with the label in training.

    Raises:
        SourceBenchError: an unknown kind or parameter, or a value that is not allowed.
    """

    def __post_init__(self) -> None:
        if self.name == NONE:
            raise SourceBenchError(f"{self.key}: this name is taken; choose another.")
        known(f"{self.key}.kind", [self.entry["kind"]], [*ARTIFACTS.names(), *ATTRIBUTES.names()])
        self.trait  # noqa: B018  one that can't be built is an error now, not in a job

    @property
    def key(self) -> str:
        """Where it stands in the config."""
        return f"confounders.{self.name}"

    @property
    def is_noise(self) -> bool:
        """Whether it is noise, which the paper's Figure 4 is about."""
        return self.artifact is not None and self.artifact.is_noise

    @property
    def carrier(self) -> tuple[str, str, str] | None:
        """(column, carrying value, other value), where the sampling is the confounder."""
        trait = self.trait
        if not isinstance(trait, Attribute):
            return None
        return trait.named, trait.carrier, trait.other

    def has_base(self, input_size: int) -> bool:
        """Tell whether images without its artifact are others than a task's own.

        Args:
            input_size: of the task, px. See `Artifact.needs_base`.
        """
        return self.artifact is not None and self.artifact.needs_base(input_size)


@dataclass(frozen=True)
class Shift(Use):
    """An artifact in test images alone, at one level: a test set of its own.

    Attributes:
        family: the name of the config's entry.
        severity: the level, from 1 on.
    """

    family: str
    severity: int

    @property
    def key(self) -> str:
        """Where it stands in the config."""
        level = "" if self.name == self.family else f".levels.{self.severity - 1}"
        return f"shifts.{self.family}{level}"

    @classmethod
    def levels(cls, family: str, entry: Entry) -> Iterator["Shift"]:
        """Yield an entry of `shifts` at each of its levels, the least severe first.

        Args:
            family: name of the entry.
            entry: of the config: a kind, its parameters, perhaps a title, and `levels`, which are
                parameters that differ; without them there is one level, named as the entry.

        Raises:
            SourceBenchError: an unknown kind or parameter, or a value that is not allowed.
        """
        key = f"shifts.{family}"
        if entry["kind"] in ATTRIBUTES.names():
            raise SourceBenchError(
                f"{key}.kind is '{entry['kind']}', an attribute, which images have by themselves; "
                f"a shift is drawn into them. Its kind must be one of: "
                f"{', '.join(ARTIFACTS.names())}."
            )
        known(f"{key}.kind", [entry["kind"]], ARTIFACTS.names())
        common = {name: value for name, value in entry.items() if name != "levels"}
        levels = entry.get("levels", [{}])
        for number, level in enumerate(levels, 1):
            if "kind" in level:
                raise SourceBenchError(
                    f"{key}.levels.{number - 1} has the key 'kind', but all levels of a shift are "
                    f"of its kind, '{entry['kind']}'; make another shift for another kind."
                )
            several = "levels" in entry
            shift = cls(f"{family}_{number}" if several else family, common | level, family, number)
            shift.trait  # noqa: B018  as with a confounder
            yield shift


def shifts_of(entries: Mapping[str, Entry], confounders: Mapping[str, Any]) -> dict[str, Shift]:
    """Return all shifts of a config, a level each, by the names of their test sets.

    Raises:
        SourceBenchError: as `Shift.levels`, or a name that is taken.
    """
    shifts: dict[str, Shift] = {}
    for family, entry in entries.items():
        for shift in Shift.levels(family, entry):
            if shift.name in (NONE, *TEST_SETS, *confounders, *shifts):
                raise SourceBenchError(
                    f"shifts.{family}: the name '{shift.name}' is taken (confounders, shifts and "
                    "test sets share theirs); choose another."
                )
            shifts[shift.name] = shift
    return shifts
