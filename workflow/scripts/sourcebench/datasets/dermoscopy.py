"""What datasets of dermoscopic images share: their tables, and how an image is read."""

import hashlib
from abc import abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, TextIO

import pandas as pd
from filelock import FileLock

from sourcebench import files
from sourcebench.datasets.base import Dataset
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image, to_channels
from sourcebench.parameters import WrongParameter, parameter
from sourcebench.retrieval import tables
from sourcebench.retrieval.folders import fingerprint as folder_state
from sourcebench.retrieval.folders import walk
from sourcebench.retrieval.formats import read_image
from sourcebench.retrieval.http import discard, fetch

FETCHED = Path("resources") / "tables"
"""Where a table goes that a program may fetch, relative to the folder that a study is run in."""


@dataclass(frozen=True)
class Dermoscopy(Dataset):
    """A dataset of dermoscopic images: colour, of many sizes, and a table that comes with them.

    Phantoms have an invented table with the original's columns, since no package carries the
    original.

    Args:
        table: the original's table, where it lies elsewhere than in the folder of images.

    Attributes:
        table_names: of the original's table file, any of which will do.
        needed: columns that it must have, the images' names first.
        fetched: the name that the table gets which `published` fetches; "" if no program may.
        ask: a sentence that says where to ask for images that no program may fetch.

    Raises:
        SourceBenchError: as every dataset; or phantoms with a table.
    """

    suffixes = (".jpg",)
    table_names: ClassVar[tuple[str, ...]] = ()
    needed: ClassVar[tuple[str, ...]] = ()
    fetched: ClassVar[str] = ""
    ask: ClassVar[str] = ""

    table: str | None = parameter(
        None,
        help="the table that comes with the images, if it lies elsewhere than in their folder; "
        "phantoms have an invented one",
        decides=False,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.origin == "phantoms" and self.table is not None:
            text = "is given, but phantoms have a table of their own; leave it out."
            raise WrongParameter(f"{self.noun} '{self.kind}'", "table", text)

    @abstractmethod
    def invented(self) -> pd.DataFrame:
        """Return a table with the original's columns, invented from a seed."""

    @abstractmethod
    def arranged(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return a table with the original's columns in the form of `Dataset.metadata`."""

    def original(self) -> pd.DataFrame:
        """Return the original's table, every cell as text.

        Raises:
            SourceBenchError: there is none, or it is not as it must be, see `tables.read`.
        """
        return tables.read(self.table_file(), self.needed, filled=self.needed[:1])

    def published(self) -> Path:
        """Fetch the original's table, and return its path.

        Raises:
            SourceBenchError: no program may fetch it, or it can't be had.
        """
        raise self._walled()

    def awaited(self) -> str:
        """Return the name of the original's table where that is still to be fetched."""
        given = self.origin != "download" or self.table is not None
        return (
            "" if given or not self.fetched or (FETCHED / self.fetched).exists() else self.fetched
        )

    def download(self, wanted: pd.DataFrame, folder: Path, terminal: TextIO) -> Path:
        """Say where to ask for the images."""
        raise self._walled()

    def _walled(self) -> SourceBenchError:
        return SourceBenchError(
            f"{self.key}: {self.ask} Then set origin to 'path' and path to the unpacked folder, or "
            "try origin 'phantoms'."
        )

    def metadata(self) -> pd.DataFrame:
        """Return the table that belongs to the images, see the class and `Dataset.metadata`."""
        return self.arranged(self.invented() if self.origin == "phantoms" else self.original())

    def table_file(self) -> Path:
        """Return where the original's table is.

        Raises:
            SourceBenchError: it is nowhere, or can't be fetched.
        """
        if self.table is not None:
            return Path(self.table)
        if self.folder is None:
            return self.published()
        there = {entry.name: Path(entry.path) for entry in walk(self.folder)}
        for name in self.table_names:
            if name in there:
                return there[name]
        raise SourceBenchError(
            f"{self.key}.path: there is no {self.table_names[0]} in {self.folder} or below it. Put "
            "it there, or say in `table` where it is."
        )

    def fingerprint(self) -> str:
        """Return what decides images and table: the names and times of files, a table's bytes."""
        state = ""
        if self.folder:
            names = tuple(name.lower() for name in self.table_names)
            state = folder_state(self.folder, (*self.suffixes, *names))
        return state + (files.checksum(self.table) if self.table else "")

    def read(self, path: Path) -> tuple[Image, tuple[str, ...]]:
        """Return an image in colour, as large as it is: H×W×3, uint8, RGB."""
        image, odd = read_image(path)
        colour = to_channels(image, 3)  # one that looks grey, too
        return image if colour is None else colour, odd


def fetch_table(url: str, name: str, md5: str | None = None) -> Path:
    """Fetch a small published table to `FETCHED`, unless it is there, and return its path.

    Args:
        url: where it is.
        name: of the file that it becomes.
        md5: published MD5 checksum (hexadecimal), if any.

    Raises:
        SourceBenchError: it can't be had, or is another file than was published.
    """
    FETCHED.mkdir(parents=True, exist_ok=True)
    path, part = FETCHED / name, FETCHED / f"{name}.part"
    with FileLock(FETCHED / f".{name}.lock"):  # several tasks may want it at once
        if path.exists():
            return path
        fetch(url, part, sealed=md5 is not None, progress=False)
        got = hashlib.md5(part.read_bytes(), usedforsecurity=False).hexdigest()
        if md5 not in (None, got):
            discard(part)
            raise SourceBenchError(
                f"The table from {url} has the MD5 {got}, not the published {md5}; it was not "
                "kept. Look for the published file, and say in `table` where it is."
            )
        part.replace(path)
        discard(part)
    return path
