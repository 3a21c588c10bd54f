"""RxRx1 from its publisher: the table, and only those images that are wanted.

All images lie in one zip of 45 GB. Its directory is read first: about 66 MB, which take half a
minute and 0.5 GB of memory.
"""

import shutil
import tempfile
import time
import zipfile
import zlib
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pandas as pd
from filelock import FileLock
from tqdm import tqdm

from sourcebench.datasets.rxrx1 import tables
from sourcebench.datasets.rxrx1.sites import CHANNELS, file_name, known_by
from sourcebench.errors import SourceBenchError
from sourcebench.files import atomic
from sourcebench.retrieval.http import Pause, fetch
from sourcebench.retrieval.ranges import open_remote

URL = "https://storage.googleapis.com/rxrx/rxrx1"
TABLE, IMAGES = "rxrx1-metadata.zip", "rxrx1-images.zip"

FEW = 0.1
BLOCKS = (1 << 20, 1 << 24)
"""Bytes of a request where few of the images are wanted (a site has about 0.4 MB), and else."""

DAMAGE = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class FetchReport:
    """What `fetch_sites` did.

    Attributes:
        wanted: number of sites asked for.
        present: how many of them were in the folder before, with all channels.
        extracted: files added to the folder.
        received: bytes that came over the network.
    """

    wanted: int
    present: int
    extracted: int
    received: int

    def __str__(self) -> str:
        return (
            f"Of {self.wanted:,} wanted sites {self.present:,} were there; {self.extracted:,} "
            f"files were fetched ({self.received / 1e9:.2f} GB)."
        )


def fetch_table(url: str = URL, *, pause: Pause = time.sleep) -> pd.DataFrame:
    """Return the published table from the server, see `tables.published`.

    Args:
        url: the folder on a server that has it.
        pause: called with the seconds to wait before another try.

    Raises:
        SourceBenchError: it can't be had, or is not what it should be.
    """
    address = f"{url.rstrip('/')}/{TABLE}"
    with tempfile.TemporaryDirectory() as place:
        archive, table = Path(place) / TABLE, Path(place) / tables.NAME
        fetch(address, archive, progress=False, pause=pause)
        try:
            with zipfile.ZipFile(archive) as pack:
                names = [name for name in pack.namelist() if Path(name).name == tables.NAME]
                if not names:
                    raise SourceBenchError(f"{address} holds no {tables.NAME}. Check the address.")
                with pack.open(names[0]) as source, table.open("wb") as file:
                    shutil.copyfileobj(source, file)
        except DAMAGE as error:
            raise SourceBenchError(f"{address} is no sound zip ({error}).") from error
        return tables.published(table)


def fetch_sites(
    wanted: Collection[str],
    folder: Path,
    *,
    url: str = URL,
    terminal: TextIO | None = None,
    pause: Pause = time.sleep,
) -> FetchReport:
    """Get the wanted sites' files into `folder`, without the rest of the archive.

    Files that are there are not asked for again; each appears whole, by the zip's checksum, or not
    at all.

    Args:
        wanted: `image_id`s.
        folder: where they go, as `HUVEC-01/Plate1/B02_s1_w1.png`.
        url: the folder on a server that has the archive.
        terminal: where a progress bar is shown; None for nowhere.
        pause: called with the seconds to wait before another try.

    Raises:
        SourceBenchError: the server fails for good, the archive is damaged or lacks a wanted file,
            or the disk is full.
    """
    folder.mkdir(parents=True, exist_ok=True)
    files = {
        (site, channel): folder / file_name(site, channel)
        for site in wanted
        for channel in range(1, CHANNELS + 1)
    }
    with FileLock(folder / ".lock"):  # two studies may want sites of the same folder
        missing = {key: path for key, path in files.items() if not path.exists()}
        lacking = {site for site, _ in missing}
        received = _fetch(missing, f"{url.rstrip('/')}/{IMAGES}", terminal, pause)
    count = len(set(wanted))
    return FetchReport(count, count - len(lacking), len(missing), received)


def _fetch(
    missing: dict[tuple[str, int], Path], address: str, terminal: TextIO | None, pause: Pause
) -> int:
    """Take files out of the archive on the server, and return the bytes that came."""
    if not missing:
        return 0
    share = len(missing) / (CHANNELS * tables.ALL)
    remote = open_remote(address, BLOCKS[share >= FEW], pause=pause)
    hide = True if terminal is None else None  # None: tqdm looks if it is a terminal
    try:
        with remote, zipfile.ZipFile(remote) as pack:
            members = ((known_by(member.filename), member) for member in pack.infolist())
            found = {key: member for key, member in members if key in missing}
            if absent := sorted(key for key in missing if key not in found):
                raise SourceBenchError(
                    f"{address} lacks {len(absent)} of {len(missing)} wanted files, such as "
                    f"{file_name(*absent[0])}. Check the table that names them."
                )
            ordered = sorted(missing, key=lambda key: found[key].header_offset)
            for key in tqdm(ordered, "RxRx1", unit=" files", file=terminal, disable=hide):
                with atomic(missing[key]) as temporary:
                    temporary.write_bytes(pack.read(found[key]))
            return int(remote.raw.received)  # type: ignore[attr-defined]
    except DAMAGE as error:
        raise SourceBenchError(
            f"{address} is no sound zip ({error}). Run the same command again; if that does not "
            "help, get it from a mirror."
        ) from error
