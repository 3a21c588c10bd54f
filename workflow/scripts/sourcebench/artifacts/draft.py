"""An array that outlives the job that fills it: what is drawn stays drawn."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path

import numpy as np
import numpy.typing as npt

from sourcebench import files

PAUSE = 5.0
"""Seconds between two records of what is done: no more than this is drawn twice."""


class Draft:
    """A growing array of images, uint8, in a hidden file beside its destination.

    A second hidden file records, every few seconds, how many rows are done, and by which key a
    later job knows them for its own. The rows are on the disk before the record of them is, so that
    a job that is killed, by whatever, leaves nothing that isn't so. An array that is full sooner
    than that is never recorded, and its key never asked for.

    Args:
        path: the array's destination (`.npy`).
        shape: of the array: rows first.
        key: returns what decides the array's content, as text. A draft with another key is begun
            anew.

    Attributes:
        images: the array, mapped to its file.
        done: how many rows, counted from the first, are filled.

    Raises:
        SourceBenchError: the disk is full.
    """

    def __init__(self, path: Path, shape: tuple[int, ...], key: Callable[[], str]) -> None:
        self.path = path
        self.file = path.with_name(f".{path.stem}.draft{path.suffix}")
        self.record = path.with_name(f".{path.stem}.draft.json")
        self._key = key
        self._recorded = time.monotonic()
        self.done = self._rows_of_before(shape)
        if not self.done:
            self.record.unlink(missing_ok=True)  # before the rows that it speaks of are gone
            with files.new_array(self.file, shape):
                pass
        self.images: npt.NDArray[np.uint8] = np.load(self.file, mmap_mode="r+")

    @cached_property
    def key(self) -> str:
        """What decides the array's content."""
        return self._key()

    def advance(self, done: int) -> bool:
        """Take note that the first `done` rows are filled; return whether it went on record."""
        self.done = done
        if time.monotonic() - self._recorded < PAUSE:
            return False
        self.save()
        return True

    def save(self) -> None:
        """Bring the rows to the disk, and then the record of them."""
        self.images.flush()  # type: ignore[attr-defined]  # a memmap has it
        files.write_json(self.record, {"key": self.key, "done": self.done})
        self._recorded = time.monotonic()

    def publish(self) -> None:
        """Move the array, which is full, to its destination."""
        self.images.flush()  # type: ignore[attr-defined]
        self.file.replace(self.path)
        self.record.unlink(missing_ok=True)

    def forget(self) -> None:
        """Let no later job go on from here."""
        self.record.unlink(missing_ok=True)

    def leave(self) -> None:
        """Keep what is done for a later job; if nothing of it is on record, remove it."""
        if self.record.exists():
            self.save()
        else:
            self.file.unlink(missing_ok=True)

    def _rows_of_before(self, shape: tuple[int, ...]) -> int:
        """Return how many rows an earlier job left that are those which are wanted."""
        if not (self.record.exists() and self.file.exists()):
            return 0
        try:
            record = files.read_json(self.record)
            drawn = np.load(self.file, mmap_mode="r")
            known = record["key"] == self.key and drawn.dtype == np.uint8 and drawn.shape == shape
            done = int(record["done"]) if known else 0
        except (ValueError, KeyError, TypeError, EOFError):
            return 0  # not what we wrote: a later version's, or damaged
        return done if 0 <= done <= len(drawn) else 0


@contextmanager
def draft(path: Path, shape: tuple[int, ...], key: Callable[[], str]) -> Iterator[Draft]:
    """Yield a `Draft` (its arguments), and publish it if the block ends well.

    If it does not, rows that took long stay for a later job.
    """
    begun = Draft(path, shape, key)
    try:
        yield begun
    except BaseException:
        begun.leave()
        raise
    begun.publish()
