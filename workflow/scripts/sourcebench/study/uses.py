"""What the config makes of artifacts and attributes: confounders, and shifts."""

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sourcebench.artifacts import ARTIFACTS, Artifact
from sourcebench.attributes import ATTRIBUTES, HELD_OUT, Attribute
from sourcebench.design import NONE, TEST_SETS
from sourcebench.errors import SourceBenchError
from sourcebench.schemas import known
from sourcebench.traits import Trait, Traits

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
        registries: tuple[Traits[Any], ...] = (ATTRIBUTES, HELD_OUT, ARTIFACTS)
        kind = self.entry["kind"]
        registry = next((each for each in registries if kind in each.names()), ARTIFACTS)
        made: Trait = registry.from_entry(self.entry, self.key)
        return made

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
        place: of the level in the entry's list `levels`, from 0 on; None, where there is no list.
    """

    family: str
    severity: int
    place: int | None = None

    @property
    def shift(self) -> str:
        """What kind of shift it is, as tables say it."""
        return "corruption"

    @property
    def key(self) -> str:
        """Where it stands in the config."""
        level = "" if self.place is None else f".levels.{self.place}"
        return f"shifts.{self.family}{level}"

    @classmethod
    def levels(cls, family: str, entry: Entry) -> Iterator["Shift"]:
        """Yield an entry of `shifts` at each of its levels, the least severe first.

        Args:
            family: name of the entry.
            entry: of the config: a kind, its parameters, perhaps a title, and `levels`, which are
                parameters that differ, or the numbers of the kind's severities. Without them there
                is one level, named as the entry; where the kind has severities and the entry no
                parameters, all of these.

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
        known(f"{key}.kind", [entry["kind"]], [*ARTIFACTS.names(), *HELD_OUT.names()])
        common = {name: value for name, value in entry.items() if name != "levels"}
        listed, severities = "levels" in entry, ARTIFACTS.get(entry["kind"]).severities
        graded = not listed and bool(severities) and not common.keys() - {"kind", "title"}
        levels = [*range(1, len(severities) + 1)] if graded else entry.get("levels", [{}])
        if len({isinstance(level, Mapping) for level in levels}) > 1:
            raise SourceBenchError(
                f"{key}.levels has both numbers of severities and tables of parameters; make a "
                "shift of each."
            )
        if twice := [n for n in levels if not isinstance(n, Mapping) and levels.count(n) > 1]:
            raise SourceBenchError(f"{key}.levels has {twice[0]} twice; name each severity once.")
        for place, level in enumerate(levels):
            where = f"{key}.levels.{place}"
            if isinstance(level, Mapping):
                number, own = place + 1, level
            else:
                number, own = int(level), _severity(entry["kind"], int(level), common, key, where)
            if "kind" in own:
                raise SourceBenchError(
                    f"{where} has the key 'kind', but all levels of a shift are "
                    f"of its kind, '{entry['kind']}'; make another shift for another kind."
                )
            name = f"{family}_{number}" if listed or graded else family
            shift = cls(name, {**common, **own}, family, number, place if listed else None)
            yield shift


def _severity(kind: str, number: int, common: Entry, key: str, where: str) -> Entry:
    """Return the parameters of a kind at one of its severities.

    Args:
        kind: of artifacts.
        number: of the severity, from 1 on.
        common: the shift's entry without its levels.
        key: the entry's, for messages.
        where: the level's.

    Raises:
        SourceBenchError: the kind has no severities, or none of this number, or the entry says
            what the severity does.
    """
    severities = ARTIFACTS.get(kind).severities
    if not severities:
        having = [name for name in ARTIFACTS.names() if ARTIFACTS.get(name).severities]
        raise SourceBenchError(
            f"{where} is {number}, but the kind '{kind}' has no severities; give a table of "
            f"parameters. Kinds with severities are: {', '.join(having)}."
        )
    if not 1 <= number <= len(severities):
        raise SourceBenchError(
            f"{where} is {number}; it must be a severity of '{kind}', a whole number from 1 to "
            f"{len(severities)}, or a table of parameters."
        )
    severity = severities[number - 1]
    if said := sorted(severity.keys() & common.keys()):
        raise SourceBenchError(
            f"{key} has the key '{said[0]}', which the severities in its levels decide; leave it "
            "out, or make the levels tables of parameters."
        )
    return severity


@dataclass(frozen=True)
class Target(Use):
    """A shift to images that differ by themselves: no network of a task is trained on them."""

    @property
    def shift(self) -> str:
        """What kind of shift it is, as tables say it: the kind of its entry."""
        return self.trait.kind

    @property
    def key(self) -> str:
        """Where it stands in the config."""
        return f"shifts.{self.name}"

    @property
    def family(self) -> str:
        """The name of the config's entry."""
        return self.name


def shifts_of(
    entries: Mapping[str, Entry], confounders: Mapping[str, Any]
) -> dict[str, Shift | Target]:
    """Return all shifts of a config, a level each, by the names of their test sets.

    Raises:
        SourceBenchError: as `Shift.levels`, or a name that is taken.
    """
    shifts: dict[str, Shift | Target] = {}
    for family, entry in entries.items():
        held_out = entry["kind"] in HELD_OUT.names()
        for shift in [Target(family, entry)] if held_out else Shift.levels(family, entry):
            shift.trait  # noqa: B018  as with a confounder
            if shift.name in (NONE, *TEST_SETS, *confounders, *shifts):
                raise SourceBenchError(
                    f"shifts.{family}: the name '{shift.name}' is taken (confounders, shifts and "
                    "test sets share theirs); choose another."
                )
            shifts[shift.name] = shift
    return shifts
