"""LIDC-IDRI's series from The Cancer Imaging Archive, one at a time, only those in need.

The server's ways were read in the source of NBIA's REST API (CBIIT/NBIA-TCIA on GitHub), version 1:
it packs a series while it sends it, so that a download has no known size and can't be resumed in
the middle; `md5hashes.csv` (header "Filename,MD5Hash") comes last; if it fails on the way, it ends
the zip as if nothing had happened, without that list; of an unknown series it sends an empty zip,
or the status 400.
"""

import errno
import hashlib
import shutil
import time
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO
from urllib.parse import quote

import pandas as pd
from filelock import FileLock
from tqdm import tqdm

from sourcebench.datasets.lidc.headers import Headers, match, scan
from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.formats.dicom import some
from sourcebench.retrieval.http import CHUNK, Pause, discard, fetch, room_for
from sourcebench.retrieval.unpack import is_inside

NBIA = "https://services.cancerimagingarchive.net/nbia-api/services/v1"
HASHES = "md5hashes.csv"
STAGING = ".images"
TOLD = 10  # series that a message names
DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError)
"""What Python raises about a zip that is cut, corrupt, encrypted or packed in a way unknown."""


class _Unsound(Exception):
    """A series arrived, but not as it should be."""


@dataclass(frozen=True)
class FetchReport:
    """What `fetch_series` did.

    Attributes:
        wanted: number of slices asked for.
        present: how many of them were in the folder before.
        extracted: slices added to the folder, wanted or not.
        series: UIDs of the series that were downloaded, in order.
        received: bytes that came over the network.
    """

    wanted: int
    present: int
    extracted: int
    series: tuple[str, ...]
    received: int

    def __str__(self) -> str:
        return (
            f"Of {self.wanted:,} wanted slices {self.present:,} were there; {self.extracted:,} "
            f"were taken from {len(self.series):,} series ({self.received / 1e9:.2f} GB)."
        )


def fetch_series(
    wanted: pd.DataFrame,
    folder: Path,
    *,
    url: str = NBIA,
    keep_all_images: bool = False,
    checksums: bool = True,
    terminal: TextIO | None = None,
    pause: Pause = time.sleep,
) -> FetchReport:
    """Get the wanted slices into `<folder>/<patient_id>/<series_uid>/`, series by series.

    A series is downloaded whole to `<folder>/archives/` (the API knows no other way to a slice
    whose UID isn't known), verified (the zip's own checksums, the server's MD5 checksums, the
    series named in each header), searched for the wanted z, and deleted; its slices appear in the
    folder only then. A series of which all wanted slices are there is not asked for again. One
    that arrives damaged or lacks a wanted slice doesn't stop the others; it is told at the end.

    Args:
        wanted: `image_id`, `patient_id`, `series_uid`, `z` (mm).
        folder: where everything goes.
        url: the API's address, up to its version.
        keep_all_images: keep every slice of the series that are downloaded, not only the wanted.
        checksums: ask for the server's checksums and compare. False for a server without.
        terminal: where a progress bar is shown; None for nowhere.
        pause: called with the seconds to wait before another try.

    Raises:
        SourceBenchError: a download fails for good, the disk is full, or in the end a wanted slice
            is missing, because its series arrived damaged or doesn't have it.
    """
    wanted = wanted.drop_duplicates("image_id")
    store = folder / "archives"
    store.mkdir(parents=True, exist_ok=True)
    command = "getImageWithMD5Hash" if checksums else "getImage"
    received, extracted, unsound = 0, 0, []
    with FileLock(folder / ".lock"):  # two studies may want slices of the same folder
        for staging in store.glob(f"*{STAGING}"):  # of a process that was killed
            shutil.rmtree(staging)
        chosen, _ = match(wanted, scan(folder, folder / ".headers.parquet"))
        missing = wanted[~wanted["image_id"].isin(chosen["image_id"])]
        groups = {str(uid): rows for uid, rows in missing.groupby("series_uid")}
        for part in store.glob("*.part"):  # stopped between extracting and deleting
            if part.name.removesuffix(".zip.part") not in groups:
                discard(part)
        hide = True if terminal is None else None  # None: tqdm looks if it is a terminal
        with tqdm(groups, "LIDC-IDRI", unit=" series", file=terminal, disable=hide) as bar:
            for uid in bar:
                patient = str(groups[uid]["patient_id"].iloc[0])
                target = folder / _plain(patient) / _plain(uid)
                part = store / f"{uid}.zip.part"
                address = f"{url.rstrip('/')}/{command}?SeriesInstanceUID={quote(uid)}"
                received += fetch(address, part, progress=False, pause=pause)
                try:
                    extracted += _extract(part, target, groups[uid], keep_all_images, checksums)
                except _Unsound as error:
                    unsound.append(f"Series {uid} of {patient} {error}")
                discard(part)
                bar.set_postfix_str(f"{received / 1e9:.2f} GB")
    if unsound:
        raise SourceBenchError(
            f"{len(unsound)} of {len(groups)} series from {url} could not be used:\n"
            + "\n".join([*unsound[:TOLD], *["..."] * (len(unsound) > TOLD)])
            + "\nThe others are in place. Run the same command again to ask for these anew."
        )
    return FetchReport(len(wanted), len(wanted) - len(missing), extracted, tuple(groups), received)


def _plain(name: str) -> str:
    """Return a patient's or series' name, which becomes that of a folder."""
    if not is_inside(name) or "/" in name:
        raise SourceBenchError(
            f"'{name}' can't be the name of a folder. Check the table of slices."
        )
    return name


def _extract(
    archive: Path, target: Path, wanted: pd.DataFrame, keep_all: bool, checksums: bool
) -> int:
    """Put a series' slices into `target`, once all of it has proved sound; return how many."""
    staging = archive.with_name(f"{archive.name}{STAGING}")
    staging.mkdir()
    try:
        with room_for(staging):
            digests = _unzip(archive, staging)
        if checksums:
            _compare(digests, staging / HASHES)
        headers = scan(staging, None)
        chosen = _choose(headers, wanted, target.name)
        if keep_all:
            chosen = list(headers.table["path"])
        return _move([Path(path) for path in chosen], headers, target)
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _unzip(archive: Path, staging: Path) -> dict[str, str]:
    """Extract a zip to its end, with its checksums; return each file's MD5 (hexadecimal)."""
    digests: dict[str, str] = {}
    if archive.stat().st_size == 0:
        raise _Unsound("is unknown to the server, which sent nothing.")
    try:
        with zipfile.ZipFile(archive) as pack:
            for member in pack.infolist():
                name = Path(member.filename).name
                if member.is_dir():
                    continue
                if not is_inside(member.filename) or name in digests:
                    raise _Unsound(f"came with an unsafe file name, '{member.filename}'.")
                md5 = hashlib.md5(usedforsecurity=False)
                with pack.open(member) as source, (staging / name).open("xb") as file:
                    while chunk := source.read(CHUNK):
                        md5.update(chunk)
                        file.write(chunk)
                digests[name] = md5.hexdigest()
    except (*DAMAGE, OSError) as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:  # a seek to before the start
            raise
        raise _Unsound(f"arrived as a damaged zip, or none ({error}).") from error
    if not digests.keys() - {HASHES}:
        raise _Unsound("is unknown to the server, which sent an empty zip.")
    return digests


def _compare(digests: dict[str, str], listed: Path) -> None:
    """Compare the files with the server's list, which must name them all."""
    if not listed.exists():
        raise _Unsound(f"arrived without {HASHES}, which the server sends last: it is incomplete.")
    lines = listed.read_text(errors="replace").splitlines()
    listed.unlink()
    rows = [[field.strip(' "') for field in line.split(",")] for line in lines[1:] if line.strip()]
    told = {row[0]: row[-1].lower() for row in rows}
    absent = sorted(told.keys() - digests.keys())
    if absent:
        raise _Unsound(f"lacks {len(absent)} of its {len(told)} files: {some(absent)}.")
    wrong = sorted(name for name, md5 in told.items() if digests[name] != md5)
    if wrong:
        raise _Unsound(
            f"has {len(wrong)} of {len(told)} files with another MD5 checksum than the server "
            f"tells: {some(wrong)}."
        )
    unlisted = [name for name in digests if name.endswith(".dcm") and name not in told]
    if unlisted:
        raise _Unsound(f"has {len(unlisted)} files that {HASHES} doesn't list: {some(unlisted)}.")


def _choose(headers: Headers, wanted: pd.DataFrame, uid: str) -> list[str]:
    """Return the files of the wanted slices, all of them, in a series that is the right one."""
    strange = headers.table.loc[headers.table["series_uid"] != uid, "path"]
    if headers.unreadable or len(strange):
        names = [Path(path).name for path in (*strange, *headers.unreadable)]
        raise _Unsound(f"came with {len(names)} files that are not of it: {some(names)}.")
    chosen, odd = match(wanted, headers)
    if odd.missing:
        heights = wanted.set_index("image_id")["z"]
        some_z = some(f"z = {heights[name]:g} mm" for name in odd.missing)
        raise _Unsound(
            f"has {len(headers.table)} slices, but not {len(odd.missing)} of the "
            f"{len(wanted)} wanted ({some_z})."
        )
    return list(chosen["path"])


def _move(paths: list[Path], headers: Headers, target: Path) -> int:
    """Move files to their folder; return how many are new there.

    The server numbers a series' files as it likes, so that another download's name may be taken
    by another slice; such a file is called by its UID.
    """
    sop = headers.table.set_index("path")["sop_uid"]
    there = scan(target, None).table
    known, taken = set(there["sop_uid"]), {Path(path).name for path in there["path"]}
    new = [path for path in paths if sop[str(path)] not in known]
    target.parent.mkdir(parents=True, exist_ok=True)
    # A new series appears at once; one that is there already gains a file at a time.
    place = target
    if not target.exists():
        place = paths[0].parent.with_name(f"{target.name}.new{STAGING}")
        place.mkdir()
    for path in new:
        path.replace(place / (f"{sop[str(path)]}.dcm" if path.name in taken else path.name))
    place.replace(target)
    return len(new)
