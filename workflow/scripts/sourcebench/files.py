"""Files that appear whole or not at all."""

import errno
import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sourcebench.errors import SourceBenchError


@contextmanager
def atomic(path: str | Path) -> Iterator[Path]:
    """Yield a temporary path beside `path`; move it there if the block ends well.

    The temporary file keeps the suffix, since many writers choose the format by it. Whatever ends
    the block early (an error, Ctrl-C) removes it, so that `path` is never half-written.

    Raises:
        SourceBenchError: the disk (or the quota) is full.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.stem}.{os.getpid()}.part{path.suffix}")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise SourceBenchError(
                f"The disk is full: {path} could not be written. Nothing was kept of it; "
                "free some space and run the same command again."
            ) from error
        raise
    finally:
        temporary.unlink(missing_ok=True)


def write_csv(path: str | Path, table: pd.DataFrame) -> None:
    """Write a table as CSV, without its index."""
    with atomic(path) as temporary:
        table.to_csv(temporary, index=False)


IDS = ("image_id", "patient_id")


def read_table(path: str | Path, text: Iterable[str] = ()) -> pd.DataFrame:
    """Read a table that `write_csv` wrote, with ids as text, whatever they look like ('007', 'NA').

    Empty cells of all other columns are missing, and no others are.

    Args:
        path: the file.
        text: further columns that are text, such as the attribute that a confounder goes by.
    """
    columns = pd.read_csv(path, nrows=0).columns
    as_text = {*IDS, *text}.intersection(columns)
    return pd.read_csv(
        path,
        dtype=dict.fromkeys(as_text, "str"),
        keep_default_na=False,
        na_values={column: [""] for column in columns if column not in as_text},
    )


def write_json(path: str | Path, content: Any) -> None:
    """Write JSON that a person can read."""
    with atomic(path) as temporary:
        temporary.write_text(json.dumps(content, indent=2, default=str) + "\n")


def read_json(path: str | Path) -> Any:
    """Read JSON."""
    return json.loads(Path(path).read_text())


def checksum(path: str | Path) -> str:
    """Return the SHA-256 of a file's bytes, 64 hexadecimal digits, or 'missing' without a file."""
    path = Path(path)
    if not path.is_file():
        return "missing"
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def load_array(path: str | Path) -> npt.NDArray[np.uint8]:
    """Map an array of images (N×H×W or N×H×W×C, uint8) into memory, read-only."""
    array: npt.NDArray[np.uint8] = np.load(path, mmap_mode="r")
    return array


@contextmanager
def new_array(path: str | Path, shape: tuple[int, ...]) -> Iterator[npt.NDArray[np.uint8]]:
    """Yield a zeroed uint8 array of `shape`, mapped to a file that becomes `path` at the end.

    The space is reserved before anything is computed, so that a full disk is an error here and
    not a bus error in the middle of a loop.
    """
    with atomic(path) as temporary:
        array = np.lib.format.open_memmap(temporary, mode="w+", dtype=np.uint8, shape=shape)
        with temporary.open("r+b") as file:
            os.posix_fallocate(file.fileno(), 0, temporary.stat().st_size)
        yield array
        array.flush()
