"""A task of a study: its images, its labels, and the confounders that it is run with."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sourcebench.axes import Value
from sourcebench.datasets.labels import LABELS
from sourcebench.design import NONE
from sourcebench.errors import SourceBenchError
from sourcebench.machine import training_mb
from sourcebench.schemas import known
from sourcebench.study.entries import Dataset, Entry, Splits
from sourcebench.study.uses import Confounder, Shift


@dataclass(frozen=True)
class Task:
    """A task that a study has chosen.

    Attributes:
        name: of the entry.
        title: its name for people.
        dataset: of its images.
        confounders: those it is run with, by name; {} for none.
        shifts: those that its networks are tested on as well, by the names of their test sets.
        splits: those that somebody published, in place of a draw of its own; or None.
        labels: where labels come from, and the keys that this source of them takes; {} with
            published splits.
        samples: how many images are drawn, or the column that says which; {} with published splits.
        view: of radiographs; None for any, and with published splits.
        val_fraction: share of the development set that a fold validates on; None with published
            splits, and where a column says who is validated on.
        input_size: side of the network's input, px.
        resize: how images come to it, see `imaging.resize`.
        batch_size: images per step.
        monitor: what early stopping watches.
        subgroups: by what groups of test images are told apart: a column of the samples → None, a
            confounder that is an attribute → its entry.
        reference: an AUROC from elsewhere, or None.
        own: its own values of the experiment's axes, by the axes' names.
    """

    name: str
    title: str
    dataset: Dataset
    confounders: Mapping[str, Confounder]
    shifts: Mapping[str, Shift]
    splits: Splits | None
    labels: Entry
    samples: Entry
    view: str | None
    val_fraction: float | None
    input_size: int
    resize: str
    batch_size: int
    monitor: str
    subgroups: Mapping[str, Entry | None]
    reference: float | None
    own: Mapping[str, list[Value]]

    @cached_property
    def drawn(self) -> list[str]:
        """The names of its confounders that are drawn into its images."""
        return [name for name, each in self.confounders.items() if each.artifact]

    @cached_property
    def layers(self) -> list[str]:
        """The names of all that is drawn into its images, confounders and shifts."""
        return [*self.drawn, *self.shifts]

    @property
    def shifted(self) -> list[tuple[str, str, int]]:
        """Its further test sets, as `design.Shifted` takes them."""
        return [(each.name, each.family, each.severity) for each in self.shifts.values()]

    @cached_property
    def carrier(self) -> tuple[str, str, str] | None:
        """(column, carrying value, other value) of its sampling confounder, or None."""
        return next((each.carrier for each in self.confounders.values() if each.carrier), None)

    @cached_property
    def attribute(self) -> Entry | None:
        """The entry of its sampling confounder, or None."""
        return next((each.entry for each in self.confounders.values() if each.carrier), None)

    @cached_property
    def designs(self) -> list[str]:
        """The names of what it is run with: its confounders, or 'none'."""
        return list(self.confounders) or [NONE]

    def has_base(self, confounder: str) -> bool:
        """Tell whether images without a confounder's artifact are others than its own."""
        return confounder != NONE and self.confounders[confounder].has_base(self.input_size)

    def shares_zero(self, confounder: str) -> bool:
        """Tell whether its network of p_art = 0 does not depend on a confounder."""
        if confounder == NONE:
            return True
        return confounder in self.drawn and not self.has_base(confounder)

    def tested(self, confounder: str) -> list[str]:
        """Return what a run is tested on: its confounder, or for 'none' all that share the run."""
        if confounder != NONE or not self.confounders:
            return [confounder]
        return [name for name in self.confounders if self.shares_zero(name)]

    @property
    def split(self) -> str | None:
        """The column of the table that says who is in which part; None where it is drawn."""
        return self.samples.get("column")

    @property
    def sampling(self) -> dict[str, Any]:
        """What decides which of a dataset's images it has, as `datasets.prepare.manifest` says."""
        return {
            "dataset": self.dataset.name,
            "labels": dict(self.labels),
            "samples": dict(self.samples),
            "view": self.view,
        }

    def memory(self, *, card: bool) -> int:
        """Return about how much memory a run on it takes, MB."""
        images = self.samples.get("test", 1000) + self.samples.get("dev", 1000)
        return training_mb(images, self.input_size, self.batch_size, card=card)


def make_task(
    name: str,
    entry: Entry,
    datasets: Mapping[str, Dataset],
    confounders: Mapping[str, Confounder],
    shifts: Mapping[str, Shift],
    splits: Mapping[str, Splits],
    folds: int,
    own: Mapping[str, list[Value]],
) -> Task:
    """Check an entry of `tasks`, and return the task.

    Args:
        name: of the entry.
        entry: of the config, as its schema has it.
        datasets: those of the config, as the following.
        confounders: likewise.
        shifts: likewise, a level each.
        splits: likewise.
        folds: of the experiment.
        own: see `Task`.

    Raises:
        SourceBenchError: a name that doesn't exist, confounders that exclude each other, labels
            that their source doesn't take, or too large a share for validation.
    """
    known(f"tasks.{name}.dataset", [entry["dataset"]], datasets)
    known(f"tasks.{name}.confounders", entry["confounders"], confounders)
    chosen = {each: confounders[each] for each in entry["confounders"]}
    if len(chosen) > 1 and not all(each.artifact for each in chosen.values()):
        raise SourceBenchError(
            f"tasks.{name}.confounders is {entry['confounders']}: a confounder made by sampling "
            "decides which images a task has, so it must be the task's only one; "
            "make a second task for the others."
        )
    families = list(dict.fromkeys(each.family for each in shifts.values()))
    known(f"tasks.{name}.shifts", entry.get("shifts", []), families)
    published = "splits" in entry
    if published:
        known(f"tasks.{name}.splits", [entry["splits"]], splits)
    else:
        _check_own_draw(name, entry, folds)
    return Task(
        name,
        title=entry["title"],
        dataset=datasets[entry["dataset"]],
        confounders=chosen,
        shifts={n: each for n, each in shifts.items() if each.family in entry.get("shifts", [])},
        splits=splits[entry["splits"]] if published else None,
        labels={} if published else LABELS.taken(entry["labels"]),
        samples={} if published else _samples(entry["samples"]),
        view=None if published else entry.get("view"),
        val_fraction=None if published else entry.get("val_fraction"),
        input_size=entry["input_size"],
        resize=entry.get("resize", "nearest"),
        batch_size=entry["batch_size"],
        monitor=entry["monitor"],
        subgroups={
            each: confounders[each].entry
            if each in confounders and confounders[each].carrier
            else None
            for each in entry.get("subgroups", [])
        },
        reference=entry.get("reference"),
        own=own,
    )


def _check_own_draw(name: str, entry: Entry, folds: int) -> None:
    key, labels = f"tasks.{name}.labels", entry["labels"]
    known(f"{key}.from", [labels["from"]], LABELS.names())
    LABELS.from_entry(labels, key)
    _check_samples(name, entry)
    if folds * entry.get("val_fraction", 0) > 1 + 1e-9:
        raise SourceBenchError(
            f"tasks.{name}.val_fraction is {entry['val_fraction']}, but experiment.folds is "
            f"{folds} and the validation sets are disjoint: it can be at most {1 / folds:.3g}."
        )


def _samples(entry: Entry) -> Entry:
    """Return the column that says who is in which part, or how many images are drawn.

    Where a config is laid over another, both may stand there; the numbers then count for nothing.
    """
    if entry.get("column"):
        return {"column": entry["column"]}
    return {key: value for key, value in entry.items() if key != "column"}


def _check_samples(name: str, entry: Entry) -> None:
    """Refuse a task that says neither how many images it has, nor which column says who."""
    samples, key = _samples(entry["samples"]), f"tasks.{name}"
    if "column" in samples:
        return
    for part, needed in ((samples, ("test", "dev")), (entry, ("val_fraction",))):
        if missing := [each for each in needed if each not in part]:
            where = f"{key}.samples" if part is samples else key
            raise SourceBenchError(
                f"{where} lacks the key '{missing[0]}'; it needs: {', '.join(needed)}, unless "
                "samples.column names a column of the table that says who is in which part."
            )
