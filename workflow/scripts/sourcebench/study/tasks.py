"""A task of a study: its images, its labels, and the confounders that it is run with."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from sourcebench.axes import Value
from sourcebench.datasets.classes import ClassLabels
from sourcebench.datasets.labels import LABELS
from sourcebench.design import NONE, TEST_SETS
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Frame
from sourcebench.schemas import known
from sourcebench.study.draws import check_draw, frame_of, samples_of
from sourcebench.study.entries import Dataset, Entry, Splits, Training
from sourcebench.study.uses import Confounder, Shift, Target


@dataclass(frozen=True)
class Task:
    """A task that a study has chosen.

    Attributes:
        name: of the entry.
        title: its name for people.
        dataset: of its images.
        confounders: those it is run with, by name; {} for none.
        confounded: the name of the class that carries an artifact in training; None for the usual
            one.
        shifts: what is drawn into its test images for further test sets, by the names of these.
        targets: what is held out of its training for further test sets, likewise.
        splits: those that somebody published, in place of a draw of its own; or None.
        labels: where labels come from, and the keys that this source of them takes; {} with
            published splits.
        samples: how many images are drawn, or the column that says which; {} with published splits.
        view: of radiographs, or several; None for any, and with published splits.
        val_fraction: share of the development set that a fold validates on; None with published
            splits, and where a column says who is validated on.
        input_size: side of the network's input, px.
        resize: how images come to it, see `imaging.resize`.
        channels: of its images; None for those that the originals have.
        frame: how originals of several sizes become squares of one; None where they are alike.
        batch_size: images per step.
        monitor: what early stopping watches.
        subgroups: by what groups of test images are told apart: a column of the samples → None, a
            confounder that is an attribute → its entry.
        group: the tasks that it is counted with, where confidence scores are; "" for none.
        reference: an AUROC from elsewhere, or None.
        training: how its networks are trained: as the study's, but for what it says itself.
        own: its own values of the experiment's axes, by the axes' names.
    """

    name: str
    title: str
    dataset: Dataset
    confounders: Mapping[str, Confounder]
    confounded: str | None
    shifts: Mapping[str, Shift]
    targets: Mapping[str, Target]
    splits: Splits | None
    labels: Entry
    samples: Entry
    view: str | list[str] | None
    val_fraction: float | None
    input_size: int
    resize: str
    channels: int | None
    frame: Frame | None
    batch_size: int
    monitor: str
    subgroups: Mapping[str, Entry | None]
    group: str
    reference: float | None
    training: Training
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

    @property
    def test_sets(self) -> dict[str, tuple[str, str, int]]:
        """What each of its test sets is, by its name: the kind of shift, the family, the severity.

        'iid' is the one whose images are as in training; with confounders the others of its own are
        'confounder', those that are not confounded among them.
        """
        own = {"clean": ("iid", "clean", 0)}
        if self.confounders:
            kinds = {"iid": "iid", **dict.fromkeys(TEST_SETS[1:], "confounder")}
            own = {name: (kind, name, 0) for name, kind in kinds.items()}
        drawn = {n: (each.shift, each.family, each.severity) for n, each in self.shifts.items()}
        apart = {n: (each.shift, each.family, 0) for n, each in self.targets.items()}
        return {**own, **drawn, **apart}

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
    def classes(self) -> int | None:
        """How many classes it has; None where only the metadata tell."""
        source = LABELS.from_entry(self.labels) if self.labels else None
        if not isinstance(source, ClassLabels):
            return 2
        return None if source.names is None else len(source.names)

    @property
    def split(self) -> str | None:
        """The column of the table that says who is in which part; None where it is drawn."""
        return self.samples.get("column")

    @property
    def sampling(self) -> dict[str, Any]:
        """What decides which of a dataset's images it has, as `datasets.prepare.manifest` says."""
        sampling = {
            "dataset": self.dataset.name,
            "labels": dict(self.labels),
            "samples": dict(self.samples),
            "view": self.view,
        }
        if self.targets:
            sampling["apart"] = self.apart
        if self.confounded and self.carrier and self.samples.keys() & {"positive", "balanced"}:
            sampling["confounded"] = self.confounded  # its images are drawn with the attribute
        return sampling

    @property
    def apart(self) -> dict[str, Entry]:
        """What is held out of training: the entries of such shifts, without their titles."""
        return {
            name: {key: value for key, value in each.entry.items() if key != "title"}
            for name, each in self.targets.items()
        }

    def trial(self, common: Mapping[str, Any]) -> dict[str, Any]:
        """Return what decides whether it can be drawn, see `design.trial.Trial`.

        Args:
            common: what all tasks' designs share: `folds`, `seed`.
        """
        return {
            "task": self.name,
            "sampling": self.sampling,
            "dataset": dict(self.dataset.entry),
            "splits": self.splits.name if self.splits else None,
            "carrier": self.carrier,
            "attribute": self.attribute,
            "subgroups": dict(self.subgroups),
            "confounded": self.confounded,
            "channels": self.channels,
            "fitted": self.frame is not None,
            "design": {**common, "val_fraction": self.val_fraction, "split": self.split},
        }


def make_task(
    name: str,
    entry: Entry,
    datasets: Mapping[str, Dataset],
    confounders: Mapping[str, Confounder],
    shifts: Mapping[str, Shift | Target],
    splits: Mapping[str, Splits],
    folds: int,
    training: Entry,
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
        training: of the config.
        own: see `Task`.

    Raises:
        SourceBenchError: a name that doesn't exist, confounders that exclude each other, labels
            that their source doesn't take, a share of positives of several classes, a class that
            is none of these, or too large a share for validation.
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
    asked = {n: each for n, each in shifts.items() if each.family in entry.get("shifts", [])}
    targets = {n: each for n, each in asked.items() if isinstance(each, Target)}
    published = "splits" in entry
    if published and targets:
        raise SourceBenchError(
            f"tasks.{name}.shifts has '{next(iter(targets))}', which holds images out of the "
            "training, but the task's splits are published ones; leave one of the two out."
        )
    if published:
        known(f"tasks.{name}.splits", [entry["splits"]], splits)
        if entry.get("confounded") is not None:
            raise SourceBenchError(
                f"tasks.{name}.confounded is '{entry['confounded']}', but of published splits the "
                "positive class is confounded; leave it out."
            )
    else:
        check_draw(name, entry, folds)
    return Task(
        name,
        title=entry["title"],
        dataset=datasets[entry["dataset"]],
        confounders=chosen,
        confounded=None if entry.get("confounded") is None else str(entry["confounded"]),
        shifts={n: each for n, each in asked.items() if isinstance(each, Shift)},
        targets=targets,
        splits=splits[entry["splits"]] if published else None,
        labels={} if published else LABELS.taken(entry["labels"]),
        samples={} if published else samples_of(entry["samples"]),
        view=None if published else entry.get("view"),
        val_fraction=None if published else entry.get("val_fraction"),
        input_size=entry["input_size"],
        resize=entry.get("resize", "nearest"),
        channels=entry.get("channels"),
        frame=frame_of(name, entry),
        batch_size=entry["batch_size"],
        monitor=entry["monitor"],
        subgroups={
            each: confounders[each].entry
            if each in confounders and confounders[each].carrier
            else None
            for each in entry.get("subgroups", [])
        },
        group=entry.get("group", ""),
        reference=entry.get("reference"),
        training=Training.of(training, entry.get("training")),
        own=own,
    )
