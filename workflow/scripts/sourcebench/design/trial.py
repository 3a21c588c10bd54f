"""Whether tasks can be drawn: tried in memory, before anything is got, written or trained."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from sourcebench.attributes import ATTRIBUTES, HELD_OUT
from sourcebench.attributes.groups import groups
from sourcebench.datasets import matching
from sourcebench.datasets.base import build as dataset_of
from sourcebench.datasets.check import Line, Sample, counted, of_images, of_table, sample
from sourcebench.datasets.prepare import manifest
from sourcebench.datasets.tasks import candidates, identified
from sourcebench.design.assign import build
from sourcebench.design.checks import check
from sourcebench.design.labels import named
from sourcebench.design.rows import fold_columns
from sourcebench.errors import SourceBenchError

Entry = Mapping[str, Any]
SECONDS = 8.0
"""So long images are read, of all datasets together."""
LEFT_OUT = {
    "without_image": "have no file",
    "without_row": "files that the table doesn't know",
    "without_findings": "rows of which nothing is known",
    "without_part": "of which no part is said",
    "several_classes": "of several classes",
    "held_out_unknown": "of which it is not known if they are held out",
}


@dataclass(frozen=True)
class Trial:
    """A task that is tried.

    Attributes:
        task: its name.
        sampling: which images it has, see `datasets.prepare.manifest`.
        dataset: the entry of its dataset.
        splits: the name of published ones that it has; None where it is drawn.
        carrier: (column, carrying value, other value) of its sampling confounder, or None.
        attribute: the entry of that.
        subgroups: see `attributes.groups`.
        confounded: the name of the class that carries an artifact, or None.
        channels: that its images get, or None for those that they have.
        fitted: whether images of several sizes become squares of one.
        design: `folds, val_fraction, split, seed` of `design.build`.
    """

    task: str
    sampling: Entry
    dataset: Entry
    splits: str | None
    carrier: tuple[str, str, str] | None
    attribute: Entry | None
    subgroups: Mapping[str, Entry | None]
    confounded: str | None
    channels: int | None
    fitted: bool
    design: Entry


def report(
    trials: Sequence[Trial], processes: int, terminal: TextIO, seconds: float = SECONDS
) -> tuple[str, list[str]]:
    """Say of tasks what their data are, and whether they can be drawn.

    Args:
        trials: the tasks.
        processes: how many may look for images.
        terminal: for progress.
        seconds: for how long images are read.

    Returns:
        A text for people, and the names of the tasks that can't be drawn.
    """
    told, refused = [], []
    names = dict.fromkeys(str(trial.sampling["dataset"]) for trial in trials)
    known: dict[str, _Looked] = {}
    for trial in trials:
        name = str(trial.sampling["dataset"])
        if name not in known:
            known[name] = _Looked(name, trial, seconds / len(names), processes, terminal)
        lines = list(known[name].lines)
        try:
            for line in _drawn(trial, known[name]):  # those before an error are told, too
                lines.append(line)
        except SourceBenchError as error:
            refused.append(trial.task)
            lines.append(("PROBLEM", str(error)))
        of = ", ".join(
            str(trial.dataset[key]) for key in ("kind", "origin") if key in trial.dataset
        )
        told.append(f"{trial.task}, of {name} ({of})")
        told += [f"  {about:<12} {what}" for about, what in lines]
    return "\n".join(told), refused


class _Looked:
    """What was found of one dataset.

    Attributes:
        lines: for people.
        read: some of its images.
        metadata: of the dataset; None where it can't be had.
        available: names of the images in the user's folder; None with another origin.
        error: why one of them can't be had.
    """

    def __init__(
        self, name: str, trial: Trial, seconds: float, processes: int, terminal: TextIO
    ) -> None:
        self.lines: list[Line] = []
        self.read = Sample()
        self.metadata: pd.DataFrame | None = None
        self.available: set[str] | None = None
        self.error: SourceBenchError | None = None
        try:
            dataset = dataset_of(name, trial.dataset)
            metadata = self.metadata = identified(dataset.metadata())
            self.lines += of_table(metadata)
            if not dataset.local:
                self.lines.append(("files", _to_come(dataset.origin)))
                return
            cache = Path("resources") / name
            found, odd = dataset.index(Path(dataset.path or ""), cache, processes, terminal)
            seed = trial.design["seed"]
            self.read = sample(dataset, found, metadata["image_id"], seed, seconds)
            self.lines += of_images(found, odd, self.read)
            self.available = set(found["image_id"])
        except SourceBenchError as error:
            self.error = error


def _to_come(origin: str) -> str:
    how = {"phantoms": "are drawn", "download": "are fetched"}.get(origin, "are drawn or fetched")
    return f"not here yet: they {how} when the study runs, and all are taken to be there"


def _drawn(trial: Trial, looked: _Looked) -> Iterator[Line]:
    """Yield what a task makes of its dataset; raise what is wrong."""
    metadata, there = looked.metadata, looked.available
    if looked.error or metadata is None:
        raise looked.error or SourceBenchError("The dataset has no metadata.")
    if trial.splits:
        yield "splits", f"{trial.splits}, as they were published: not looked at here"
        return
    if there is not None:
        matching.check(metadata["image_id"], there)
    yield from _unlike(trial, looked.read)
    sampling = trial.sampling
    labelled, _ = candidates(metadata, sampling["labels"], sampling["view"], there)
    yield "classes", counted(_classes(labelled), "classes")
    attribute = trial.attribute and ATTRIBUTES.from_entry(trial.attribute)
    table, counts = manifest(
        trial.task,
        sampling,
        metadata,
        seed=trial.design["seed"],
        carrier=trial.carrier,
        available=there,
        published=None,
        apart={
            name: HELD_OUT.from_entry(entry).among
            for name, entry in sampling.get("apart", {}).items()
        },
        derive=attribute.added if attribute else None,
    )
    left = [f"{counts[name]:,} {why}" for name, why in LEFT_OUT.items() if counts.get(name)]
    if counts.get("without_image") and there is not None:
        left[0] += (
            f", such as {metadata.loc[~metadata['image_id'].isin(there), 'image_id'].iloc[0]}"
        )
    yield "left out", "; ".join(left) or "nothing"
    yield "drawn", f"{counted(table['role'])}, of {counts['candidates']:,} that the task may use"
    for name in sampling.get("apart", {}):
        ours = table["held_out"].str.split("|").map(lambda names, name=name: name in names)
        patients = table.loc[ours, "patient_id"].nunique()
        yield "held out", f"{name}: {int(ours.sum()):,} images of {patients:,} patients"
    if others := counts.get("test_of_target_patients"):
        yield "held out", f"other images of these patients, for the test set alone: {others:,}"
    carrier = (trial.carrier[0], trial.carrier[1]) if trial.carrier else None
    confounded = named(table, trial.confounded, trial.task)
    made = build(table, name=trial.task, carrier=carrier, confounded=confounded, **trial.design)
    check(made, trial.task)
    images = made.images
    for fold in fold_columns(images):
        yield fold.replace("_", " "), counted(images.loc[images["role"] == "dev", fold])
    found = groups(table, trial.subgroups, f"tasks.{trial.task}.subgroups")
    test = found[(table["role"] == "test").to_numpy()]
    for name in test:
        yield f"test, {name}", counted(test[name].replace("", "not known"))


def _unlike(trial: Trial, read: Sample) -> Iterator[Line]:
    """Yield what stops a run that needs two of the images that were read."""
    channels = {shape[2] for shape in read.shapes}
    if not trial.fitted and len({shape[:2] for shape in read.shapes}) > 1:
        yield "CAUTION", f"several sizes: give tasks.{trial.task}.fit, such as pad"
    if trial.channels is None and len(channels) > 1:
        yield "CAUTION", f"grey and colour: give tasks.{trial.task}.channels, 1 or 3"
    if trial.channels and (strange := channels - _becoming(trial.channels)):
        there = " or ".join(map(str, sorted(strange)))
        yield "CAUTION", f"images of {there} channels can't become {trial.channels}"


def _becoming(channels: int) -> set[int]:
    """Return how many channels images may have that get so many, see `imaging.to_channels`."""
    return {1, 3} if channels in (1, 3) else {channels}


def _classes(labelled: pd.DataFrame) -> pd.Series:
    """Return the class of each image by its name, as far as it has one."""
    if "class" in labelled:
        return labelled["class"]
    two = labelled["label"].max() <= 1
    return labelled["label"].map({0: "negative", 1: "positive"}) if two else labelled["label"]
