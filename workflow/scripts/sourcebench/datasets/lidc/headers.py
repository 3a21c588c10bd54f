"""Which DICOM file holds which slice: an index of headers, by what they say and not by names."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TextIO

import pandas as pd
from tqdm import tqdm

from sourcebench.errors import SourceBenchError
from sourcebench.files import atomic
from sourcebench.parallel import each
from sourcebench.retrieval.folders import missing, walk
from sourcebench.retrieval.formats.dicom import (
    OTHER,
    POSITIONLESS,
    SLICE,
    UNREADABLE,
    Entry,
    read_header,
    some,
)

COLUMNS = ("path", "series_uid", "z", "sop_uid", "instance", "rows", "columns")
TOLERANCE = 0.05
"""Millimetres between a file's z and that of the slice it is taken for; slices lie ≥ 0.45 apart."""

WORTH_PROCESSES = 1000
"""Files from which on they are read in parallel."""

_KEY = ["path", "size", "mtime_ns"]
_TYPES = (
    dict.fromkeys(("path", "kind", "series_uid", "sop_uid"), "str")
    | dict.fromkeys(("size", "mtime_ns", "instance", "rows", "columns"), "int64")
    | {"z": "float64"}
)


@dataclass(frozen=True)
class Headers:
    """The slices under a folder.

    Attributes:
        table: `path` (absolute), `series_uid`, `z` (mm), `sop_uid`, `instance` (`NO_INSTANCE` where
            there is none), `rows` and `columns` (px), sorted by series_uid, z, instance, path.
        read: files opened now; what is known of the others comes from the cache.
        hidden: files whose names begin with a dot, such as the `._*` of macOS archives; not opened.
        other: files that are not DICOM (lists, licences, annotations).
        positionless: DICOM files that are no slices (radiographs, reports, a DICOMDIR).
        unreadable: damaged or forbidden files, each as "path: what is wrong".
    """

    table: pd.DataFrame
    read: int
    hidden: int
    other: int
    positionless: int
    unreadable: tuple[str, ...]

    def counts(self) -> dict[str, int]:
        """Return how many slices and how many other files of each kind there are."""
        return {
            "slices": len(self.table),
            "hidden": self.hidden,
            "other": self.other,
            "positionless": self.positionless,
            "unreadable": len(self.unreadable),
        }

    def __str__(self) -> str:
        head = (
            f"{len(self.table):,} slices; {self.read:,} files were opened. Left out: {self.hidden} "
            f"hidden files, {self.other} that are not DICOM, {self.positionless} without a "
            f"position, {len(self.unreadable)} unreadable."
        )
        return "\n".join((head, *self.unreadable))


@dataclass(frozen=True)
class Oddities:
    """What was odd about the files of the wanted slices.

    Attributes:
        missing: image_ids without a file.
        copies: image_ids with several files that are one and the same image.
        rivals: image_ids with several different images at one z.
    """

    missing: tuple[str, ...] = ()
    copies: tuple[str, ...] = ()
    rivals: tuple[str, ...] = ()

    def counts(self) -> dict[str, int]:
        """Return how many slices there are of each kind."""
        return {kind: len(names) for kind, names in vars(self).items()}

    def __str__(self) -> str:
        told = (
            (self.missing, "no file"),
            (self.copies, "several copies of their file, of which one was taken"),
            (self.rivals, "several images at their z, of which the lowest instance was taken"),
        )
        lines = [
            f"Slices with {what}: {len(names)} ({some(names)})." for names, what in told if names
        ]
        return "\n".join(lines) or "Each slice has one file."


def index(
    folder: Path, cache: Path | None, *, processes: int = 1, terminal: TextIO | None = None
) -> Headers:
    """Find every slice under a folder, however it is laid out and whatever its files are called.

    Only headers are read, and of those only what stands before the pixels' description. Folders
    are searched recursively, also through links.

    Args:
        folder: a copy of LIDC-IDRI, or a part of one.
        cache: a parquet file that remembers the headers by absolute path, size and time of change,
            so that a later call opens only what is new; None for no memory. A damaged one is made
            again.
        processes: how many read in parallel.
        terminal: where progress is shown; None for nowhere.

    Raises:
        SourceBenchError: there is no such folder, it can't be read, or no slice is in it.
    """
    if not folder.exists():
        raise SourceBenchError(f"The folder {folder} does not exist{missing(folder)}.")
    if not folder.is_dir():
        raise SourceBenchError(
            f"{folder} is not a folder. Give the one that holds the DICOM files."
        )
    headers = scan(folder, cache, processes=processes, terminal=terminal)
    if headers.table.empty:
        raise SourceBenchError(
            f"There is no CT slice in {folder} or below it ({headers.other} other files, "
            f"{headers.hidden} hidden, {len(headers.unreadable)} unreadable). Give the folder that "
            "holds the DICOM files (unpack archives first)."
        )
    return headers


def scan(
    folder: Path, cache: Path | None, *, processes: int = 1, terminal: TextIO | None = None
) -> Headers:
    """Do what `index` does, for a folder that may be empty or missing."""
    found, hidden, misnamed = _files(folder)
    known = _recall(cache, terminal)
    entries = found.merge(known, on=_KEY, how="left")
    new = entries["kind"].isna()
    fresh = pd.DataFrame(
        _read_all(list(entries.loc[new, "path"]), processes, terminal), columns=list(Entry._fields)
    )
    sound = fresh[fresh["kind"] != UNREADABLE].drop(columns="why")
    entries = pd.concat([entries[~new], found.merge(sound, on="path")], ignore_index=True)
    entries = entries.astype(_TYPES)
    if cache is not None and (len(sound) or len(known) != len(entries)):
        with atomic(cache) as temporary:
            entries.to_parquet(temporary, index=False)
    kinds = entries["kind"].value_counts()
    table = entries.loc[entries["kind"] == SLICE, list(COLUMNS)]
    damaged = fresh[fresh["kind"] == UNREADABLE]
    return Headers(
        table=table.sort_values(["series_uid", "z", "instance", "path"], ignore_index=True),
        read=len(fresh),
        hidden=hidden,
        other=int(kinds.get(OTHER, 0)),
        positionless=int(kinds.get(POSITIONLESS, 0)),
        unreadable=tuple(sorted([*(damaged["path"] + ": " + damaged["why"]), *misnamed])),
    )


def match(slices: pd.DataFrame, headers: Headers) -> tuple[pd.DataFrame, Oddities]:
    """Find the file of each wanted slice: of the same series, and within 0.05 mm of its z.

    Where there are several, that with the lowest instance number counts, then the first path.

    Args:
        slices: `image_id`, `series_uid`, `z` (mm).
        headers: what there is.

    Returns:
        `image_id` and `path` of the slices that have a file, in the order of `slices`; and what
        was odd.
    """
    tolerance: Any = TOLERANCE + 1e-6  # pandas' own types know of whole numbers only
    wanted = slices.drop_duplicates("image_id")[["image_id", "series_uid", "z"]]
    wanted = wanted.astype({"image_id": "str", "series_uid": "str", "z": "float64"})
    # From the file to the slice, so that no file can stand for two.
    files = pd.merge_asof(
        headers.table.sort_values("z"),
        wanted.rename(columns={"z": "wanted"}).sort_values("wanted"),
        left_on="z",
        right_on="wanted",
        by="series_uid",
        tolerance=tolerance,
        direction="nearest",
    ).dropna(subset="image_id")
    files = files.sort_values(["image_id", "instance", "path"])
    chosen = wanted[["image_id"]].merge(files.drop_duplicates("image_id")[["image_id", "path"]])
    groups = files.groupby("image_id")["sop_uid"].agg(["size", "nunique"])
    several = groups[groups["size"] > 1]
    return chosen, Oddities(
        missing=tuple(sorted(set(wanted["image_id"]) - set(chosen["image_id"]))),
        copies=tuple(several.index[several["nunique"] == 1]),
        rivals=tuple(several.index[several["nunique"] > 1]),
    )


def _files(folder: Path) -> tuple[pd.DataFrame, int, list[str]]:
    """List path, size and time of change of the files under a folder.

    Also returned are the number of hidden files, and those that can't stand in a table, since
    their names are no UTF-8.
    """
    found, hidden, misnamed = [], 0, []
    for file in walk(folder.absolute()):
        if file.name.startswith("."):
            hidden += 1
            continue
        name = os.fsencode(file.path)
        if name.decode(errors="replace") != file.path:
            misnamed.append(f"{name.decode(errors='backslashreplace')}: its name is no UTF-8")
            continue
        try:
            state = file.stat()
        except FileNotFoundError:  # a link to nowhere; reading it will say so
            found.append((file.path, -1, -1))
            continue
        found.append((file.path, state.st_size, state.st_mtime_ns))
    table = pd.DataFrame(sorted(found), columns=_KEY)
    return table.astype({name: _TYPES[name] for name in _KEY}), hidden, misnamed


def _recall(cache: Path | None, terminal: TextIO | None) -> pd.DataFrame:
    """Return what the cache holds; nothing, with a note, if it is damaged."""
    columns = [*_KEY, *(field for field in Entry._fields[1:] if field != "why")]
    if cache is not None and cache.exists():
        try:
            known = pd.read_parquet(cache)[columns]
            if not known["path"].duplicated().any():
                return known
        except (OSError, ValueError, KeyError) as error:
            reason = str(error).partition("\n")[0]
            print(f"{cache} is damaged ({reason}); the headers are read again.", file=terminal)
    return pd.DataFrame(columns=columns).astype(_TYPES)


def _read_all(paths: list[str], processes: int, terminal: TextIO | None) -> list[Entry]:
    """Read the headers of files, in parallel where it is worth the processes' start."""
    processes = processes if len(paths) >= WORTH_PROCESSES else 1
    bar = tqdm(
        each(read_header, paths, processes),
        desc="DICOM headers",
        unit=" files",
        total=len(paths),
        file=terminal,
        disable=None if terminal and paths else True,
    )
    return list(bar)
