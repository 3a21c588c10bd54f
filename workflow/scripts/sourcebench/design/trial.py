"""Whether tasks can be drawn: tried in memory, before anything is got, written or trained."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

from sourcebench.datasets.base import Dataset
from sourcebench.datasets.base import build as dataset_of
from sourcebench.datasets.check import Line, Sample, every, of_images, of_table, sample
from sourcebench.datasets.look import Looked, look
from sourcebench.design.tried import CAUTION, PROBLEM, Entry, Trial, Tried, drawn, unlike
from sourcebench.errors import SourceBenchError, is_or_are, number

__all__ = ["Trial", "report"]

SECONDS = 8.0
"""So long images are read, of all datasets together."""
NAMED = 5
"""So many files that can't be read are named, unless all were asked for."""


def report(
    trials: Sequence[Trial],
    processes: int,
    terminal: TextIO,
    seconds: float = SECONDS,
    *,
    whole: bool = False,
) -> tuple[str, list[str]]:
    """Say of tasks what their data are, and whether they can be drawn.

    A dataset is looked at once, whatever tasks are on it, and told as soon as that is done.

    Args:
        trials: the tasks.
        processes: how many may look for images, or read them.
        terminal: where it is said, as it comes.
        seconds: for how long images are read.
        whole: whether every image that the tasks use is read, however long it takes.

    Returns:
        The same text, and the names of the tasks at which a run would stop.
    """
    told, refused = [], []
    on: dict[str, list[Trial]] = {}
    for trial in trials:
        on.setdefault(str(trial.sampling["dataset"]), []).append(trial)
    for name, group in on.items():
        print(f"Looking at {name} …", file=terminal)
        share = None if whole else seconds / len(on)
        block, stopped = _of_dataset(name, group, processes, terminal, share)
        print(block, file=terminal)
        told.append(block)
        refused += stopped
    return "\n".join(told), refused


def _of_dataset(
    name: str, trials: Sequence[Trial], processes: int, terminal: TextIO, seconds: float | None
) -> tuple[str, list[str]]:
    """Return what is told of a dataset and its tasks, and the names of the tasks that stop."""
    entry = trials[0].dataset
    tried = {trial.task: Tried() for trial in trials}
    try:
        dataset = dataset_of(name, entry)
        looked = look(dataset, Path("resources") / name, processes, terminal)
    except SourceBenchError as error:
        lines = [(PROBLEM, str(error))]
        for task in tried.values():
            task.stop(f"a run would stop at {name}: see above")
    else:
        for trial in trials:
            _try(trial, looked, tried[trial.task])
        lines = _looked_at(dataset, looked, trials, tried, processes, terminal, seconds)
    blocks = _block(f"{name} ({_origin(entry)})", lines)
    for trial in trials:
        blocks += _block(f"{trial.task}, of {name}", tried[trial.task].lines)
    return "\n".join(blocks), [task for task, each in tried.items() if each.stops]


def _block(head: str, lines: Sequence[Line]) -> list[str]:
    return [head, *(f"  {about:<12} {what}" for about, what in lines)]


def _origin(entry: Entry) -> str:
    return ", ".join(str(entry[key]) for key in ("kind", "origin") if key in entry)


def _try(trial: Trial, looked: Looked, tried: Tried) -> None:
    """Draw a task, as far as that is possible, and note what is told of it."""
    name = trial.sampling["dataset"]
    if looked.problems:
        tried.stop(f"a run would stop at {name}: see above")
    elif trial.splits:
        tried.lines.append(
            ("splits", f"{trial.splits}, as they were published: not looked at here")
        )
    elif looked.metadata is None:
        tables = ", ".join(looked.awaited)
        tried.lines.append(("drawn", f"can't be said without {tables}, which a run will fetch"))
    else:
        try:
            drawn(trial, looked.metadata, looked.there, tried)
        except SourceBenchError as error:
            tried.stop(str(error))


def _looked_at(
    dataset: Dataset,
    looked: Looked,
    trials: Sequence[Trial],
    tried: Mapping[str, Tried],
    processes: int,
    terminal: TextIO,
    seconds: float | None,
) -> list[Line]:
    """Read images of the tasks, note in these what is wrong, and return what is told of all."""
    lines = [*_tables(looked), *_to_come(dataset, looked)]
    lines += [(PROBLEM, problem) for problem in looked.problems]
    manifests = [each.manifest for each in tried.values() if each.manifest is not None]
    used = {name for table in manifests for name in table["image_id"]}
    known = used or set(() if looked.metadata is None else looked.metadata["image_id"])
    if looked.found is not None and looked.found["path"].notna().any():
        if seconds is None:
            read = every(dataset, looked.found, known, processes, terminal)
        else:
            seed = int(trials[0].design["seed"])
            read = sample(dataset, looked.found, known, seed, seconds)
        whose = "that tasks use" if used else "that are there"
        lines += of_images(looked.found, looked.odd, read, whose)
        lines += _unreadable(read, used, whole=seconds is None)
        for trial in trials:
            _judge(trial, tried[trial.task], read)
    return lines


def _judge(trial: Trial, tried: Tried, read: Sample) -> None:
    """Note of a task what a run would stop at among its images."""
    if tried.manifest is None:
        return
    ours = set(tried.manifest["image_id"])
    if lost := len(ours & read.wrong.keys()):
        tried.stop(f"{number(lost, 'image')} of it can't be read: see above")
    for problem in unlike(trial, [read.shapes[each] for each in ours & read.shapes.keys()]):
        tried.stop(problem)


def _tables(looked: Looked) -> Iterator[Line]:
    """Yield what the dataset's tables have, or those of its parts where one is missing."""
    if looked.metadata is not None:
        yield from of_table(looked.metadata)
        return
    for name, part in looked.parts.items():
        if part.metadata is not None:
            yield "table", f"{name}: {dict(of_table(part.metadata))['table']}"
    for table in looked.awaited:
        yield "table", f"{table} is not here yet: a run will fetch it"


def _to_come(dataset: Dataset, looked: Looked) -> Iterator[Line]:
    """Yield where images come from that are not the user's own."""
    hows = {"phantoms": "are drawn", "download": "are fetched"}
    members = dataset.members or {"": dataset}
    for name, member in members.items():
        found = looked.parts.get(name, looked)
        if how := hows.get(member.origin) if not found.problems else None:
            of = f"{name}: " if name else ""
            yield (
                "files",
                f"{of}not here yet: they {how} when the study runs, and all are taken to be there",
            )


def _unreadable(read: Sample, used: set[str], *, whole: bool) -> Iterator[Line]:
    """Yield which images can't be read, and that a run stops there, if a task uses them."""
    if not read.wrong:
        return
    count = len(read.wrong)
    about = PROBLEM if used & read.wrong.keys() else CAUTION
    tried = "" if whole else " that were tried"
    named = ", ".join(list(read.wrong)[:NAMED]) + (", …" if count > NAMED else "")
    said = f"{count:,} of {number(read.tried, 'image')}{tried} can't be read: {named}"
    if not whole and read.tried < read.of:
        said += f"; {read.of - read.tried:,} {is_or_are(read.of - read.tried)} untried"
        said += " (`snakemake check_all` reads them all)"
    yield about, said
    reasons = list(read.wrong.values())
    for reason in reasons if whole else reasons[:1]:
        yield "unreadable", reason
