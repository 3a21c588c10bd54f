"""One task, drawn in memory: what is told of it, and what a run would stop at."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pandas as pd

from sourcebench.attributes import ATTRIBUTES, HELD_OUT
from sourcebench.attributes.groups import groups
from sourcebench.datasets import matching
from sourcebench.datasets.check import Line, Shape, counted
from sourcebench.datasets.prepare import manifest
from sourcebench.datasets.tasks import candidates
from sourcebench.design.assign import build
from sourcebench.design.checks import check
from sourcebench.design.labels import named
from sourcebench.design.rows import fold_columns
from sourcebench.errors import number

Entry = Mapping[str, Any]
PROBLEM, CAUTION = "PROBLEM", "CAUTION"
"""What begins a line about something that a run would stop at, or that one may not have meant."""
FEWEST = 30
"""With fewer images to test or validate on, little can be said of a network: of an accuracy of 0.8
the 95 % interval is then 0.29 wide, or wider."""
LEFT_OUT = {
    "without_image": ("has no file", "have no file"),
    "without_row": ("file that the table doesn't know", "files that the table doesn't know"),
    "without_findings": ("row of which nothing is known", "rows of which nothing is known"),
    "without_part": ("of which no part is said", "of which no part is said"),
    "in_no_part": ("that fits into no part", "that fit into no part"),
    "several_classes": ("of several classes", "of several classes"),
    "held_out_unknown": (
        "of which it is not known if it is held out",
        "of which it is not known if they are held out",
    ),
}
"""Counts of what a task does not use → what is said of one, and of several."""


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


@dataclass
class Tried:
    """What became of a task.

    Attributes:
        lines: for people.
        manifest: its images; None where they could not be drawn, or were not tried to be.
        stops: whether a run would.
    """

    lines: list[Line] = field(default_factory=list)
    manifest: pd.DataFrame | None = None
    stops: bool = False

    def stop(self, why: str) -> None:
        """Note what a run would stop at."""
        self.lines.append((PROBLEM, why))
        self.stops = True


def drawn(trial: Trial, metadata: pd.DataFrame, there: set[str] | None, tried: Tried) -> None:
    """Draw a task, and note what it makes of its dataset.

    Args:
        trial: the task.
        metadata: of its dataset, with ids as text.
        there: names of the images that are there, None for all of them.
        tried: gets the lines, those before an error too, and the manifest.

    Raises:
        SourceBenchError: what a run would stop at.
    """
    for line in _lines(trial, metadata, there, tried):
        tried.lines.append(line)


def _lines(
    trial: Trial, metadata: pd.DataFrame, there: set[str] | None, tried: Tried
) -> Iterator[Line]:
    if there is not None:
        matching.check(metadata["image_id"], there)
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
    tried.manifest = table
    left = [
        f"{counts[name]:,} {words[counts[name] > 1]}"
        for name, words in LEFT_OUT.items()
        if counts.get(name)
    ]
    if counts["without_image"] and there is not None:
        gone = metadata.loc[~metadata["image_id"].isin(there), "image_id"]
        left[0] += f", such as {gone.iloc[0]}"
    yield "left out", "; ".join(left) or "nothing"
    usable = counts["candidates"] - counts["without_image"]
    yield "drawn", f"{counted(table['role'])}, of {usable:,} that the task may use"
    for name in sampling.get("apart", {}):
        ours = table["held_out"].str.split("|").map(lambda names, name=name: name in names)
        patients = number(table.loc[ours, "patient_id"].nunique(), "patient")
        yield "held out", f"{name}: {number(int(ours.sum()), 'image')} of {patients}"
    if others := counts.get("test_of_target_patients"):
        yield "held out", f"other images of these patients, for the test set alone: {others:,}"
    yield from _designed(trial, table)


def _designed(trial: Trial, table: pd.DataFrame) -> Iterator[Line]:
    """Yield what folds, carriers and groups of the test images there are."""
    carrier = (trial.carrier[0], trial.carrier[1]) if trial.carrier else None
    confounded = named(table, trial.confounded, trial.task)
    made = build(table, name=trial.task, carrier=carrier, confounded=confounded, **trial.design)
    check(made, trial.task)
    images = made.images
    few = {"test": int((images["role"] == "test").sum())}
    for name in trial.sampling.get("apart", {}):
        ours = table["held_out"].str.split("|").map(lambda names, name=name: name in names)
        few[name] = int(ours.sum())
    for fold in fold_columns(images):
        parts = images.loc[images["role"] == "dev", fold]
        yield fold.replace("_", " "), counted(parts)
        few[f"val of {fold.replace('_', ' ')}"] = int((parts == "val").sum())
    if trial.carrier:
        yield from _carriers(trial.carrier, table)
    found = groups(table, trial.subgroups, f"tasks.{trial.task}.subgroups")
    test = found[(table["role"] == "test").to_numpy()]
    for name in test:
        yield f"test, {name}", counted(test[name].replace("", "not known"))
    if few := {part: count for part, count in few.items() if count < FEWEST}:
        told = ", ".join(f"{part} ({count})" for part, count in few.items())
        yield CAUTION, f"fewer than {FEWEST} images, of which little can be said: {told}"
    split, share = trial.design["split"], trial.design["val_fraction"]
    if split and share is not None and "val" in set(table[split]):
        yield (
            CAUTION,
            f"tasks.{trial.task}.val_fraction ({share:g}) counts for nothing: the column '{split}' "
            "says who is validated on",
        )


def _carriers(carrier: tuple[str, str, str], table: pd.DataFrame) -> Iterator[Line]:
    """Yield how many images of each class have the attribute, and how many don't, part by part."""
    column, carrying, other = carrier
    kinds = _classes(table) + " " + table[column].astype("str")
    for role in ("dev", "test"):
        ours = (table["role"] == role) & table[column].astype("str").isin([carrying, other])
        yield "carriers", f"{role}: {counted(sorted(kinds[ours]), 'kinds')}"


def unlike(trial: Trial, shapes: Sequence[Shape]) -> Iterator[str]:
    """Yield what stops a run that needs these images, which are the task's."""
    channels = {shape[2] for shape in shapes}
    if not trial.fitted and len({shape[:2] for shape in shapes}) > 1:
        yield f"images of several sizes: give tasks.{trial.task}.fit, such as pad"
    key = f"tasks.{trial.task}.channels"
    if trial.channels is None and len(channels) > 1:
        yield f"grey images and others of colour: give {key}, 1 or 3"
    if trial.channels and (strange := channels - _becoming(trial.channels)):
        there = " or ".join(map(str, sorted(strange)))
        can = " or ".join(map(str, _possible(channels))) or "no number: leave some images out"
        yield f"{key} is {trial.channels}, which images of {there} can't become; possible: {can}"


def _becoming(channels: int) -> set[int]:
    """Return how many channels images may have that get so many, see `imaging.to_channels`."""
    return {1, 3} if channels in (1, 3) else {channels}


def _possible(channels: set[int]) -> list[int]:
    """Return the numbers of channels that all of these images can get."""
    return [each for each in sorted({1, 3} | channels) if channels <= _becoming(each)]


def _classes(labelled: pd.DataFrame) -> pd.Series:
    """Return the class of each image by its name, as far as it has one."""
    if "class" in labelled:
        return labelled["class"]
    two = labelled["label"].max() <= 1
    return labelled["label"].map({0: "negative", 1: "positive"}) if two else labelled["label"]
