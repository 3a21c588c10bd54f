"""RxRx1 (Sypetkowski et al. 2023): 125,510 fields of cells under 1,138 siRNAs, in six stains."""

from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pandas as pd

from sourcebench import files
from sourcebench.datasets.base import KINDS, Dataset
from sourcebench.datasets.rxrx1 import tables
from sourcebench.datasets.rxrx1.sites import CHANNELS, known_by, read_site
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.retrieval.folders import walk

ODD = ("duplicates", "incomplete")
"""What is counted of a folder: sites that are there again in another one, and those of which a
channel is missing."""


@KINDS.register("rxrx1")
@dataclass(frozen=True)
class RxRx1(Dataset):
    """RxRx1: an image is a site of a well in six channels, its finding the siRNA.

    The experiment is the column `domain`: whoever was stained on one day looks alike. Phantoms go
    by a table of their own, see `tables.invented`, unless `table` names RxRx1's.

    Args:
        table: the path of RxRx1's `metadata.csv`; None for the one that lies with the images, on
            the server that they come from, or is invented for phantoms.
        sirnas: how many siRNAs are taken, by their numbers; None for all, and for none of them.
        sites: how many of each well's two sites.
        url: a mirror that has the archives of the table and of the images.
    """

    table: str | None = parameter(
        None,
        help="RxRx1's `metadata.csv`; by default the one in `path`, that of the download, or "
        "one that is invented for phantoms",
    )
    sirnas: int | None = parameter(
        None, help="only the first so many siRNAs (the untreated wells count as one, the last)",
        low=2, high=tables.SIRNAS,
    )  # fmt: skip
    sites: int = parameter(
        tables.SITES, help="only the first so many sites of a well", low=1, high=tables.SITES
    )
    url: str | None = parameter(
        None,
        help="a mirror that has `<url>/rxrx1-metadata.zip` and `<url>/rxrx1-images.zip`",
        decides=False,
    )

    def fingerprint(self) -> str:
        """Return what decides the user's images and table: the folder's files, the CSV's bytes."""
        path = self._own_table()
        return super().fingerprint() + (files.checksum(path) if path and path.is_file() else "")

    def metadata(self) -> pd.DataFrame:
        """Return a row per site, see `tables.metadata`.

        Raises:
            SourceBenchError: there is no table, it is another one, or it can't be fetched.
        """
        path = self._own_table()
        if path is not None and not path.is_file():
            raise SourceBenchError(
                f"{self.key}.table: there is no file {path}; give RxRx1's {tables.NAME} (it is in "
                "rxrx1-metadata.zip, www.rxrx.ai/rxrx1)."
            )
        if path is not None:
            table = tables.published(path)
        elif self.origin == "phantoms":
            table = tables.invented()
        else:
            from sourcebench.datasets.rxrx1 import download

            table = download.fetch_table(self.url or download.URL)
        return tables.metadata(table, self.sirnas, self.sites)

    def awaited(self) -> str:
        """Return the name of RxRx1's table where `metadata` would fetch it."""
        fetches = self.origin == "download" and self._own_table() is None
        return tables.NAME if fetches else ""

    def _own_table(self) -> Path | None:
        """Return where the user's table should be; None where it comes from somewhere else."""
        if self.table is not None or self.folder is None:
            return Path(self.table) if self.table is not None else None
        places = [self.folder / tables.NAME]
        if self.folder.name == "images":
            places.append(self.folder.parent / tables.NAME)
        return next((place for place in places if place.is_file()), places[0])

    def download(self, wanted: pd.DataFrame, folder: Path, terminal: TextIO) -> Path:
        """Fetch the wanted sites out of the archive on the server, see `download.fetch_sites`."""
        from sourcebench.datasets.rxrx1 import download

        print(
            download.fetch_sites(
                list(wanted["image_id"]),
                folder / "images",
                url=self.url or download.URL,
                terminal=terminal,
            )
        )
        return folder / "images"

    def index(
        self, folder: Path, cache: Path, processes: int, terminal: TextIO
    ) -> tuple[pd.DataFrame, dict[str, int]]:
        """Find the sites by the ends of their files' paths; one that lacks a channel is none.

        Returns:
            `image_id`, and as `path` that of the first channel; and counts of `ODD`.
        """
        if not folder.is_dir():
            raise SourceBenchError(f"{folder} is not a folder. Give RxRx1's folder of images.")
        sites: dict[tuple[str, str], dict[int, str]] = defaultdict(dict)
        for entry in walk(folder):
            if (known := known_by(entry.path)) is not None:
                image_id, channel = known
                place = entry.path[: -len(entry.name)]
                sites[image_id, place][channel] = entry.path
        rows = [
            (image_id, channels[1])
            for (image_id, _), channels in sorted(sites.items())
            if len(channels) == CHANNELS
        ]
        if not rows:
            raise SourceBenchError(
                f"There is no site of RxRx1 in {folder} or below it: no six files such as "
                "HUVEC-01/Plate1/B02_s1_w1.png to B02_s1_w6.png. Give the folder that holds the "
                "images (unpack the archive first)."
            )
        found = pd.DataFrame(rows, columns=["image_id", "path"])
        table = found.drop_duplicates("image_id", ignore_index=True)
        incomplete = len({image_id for image_id, _ in sites}) - len(table)
        return table, dict(zip(ODD, (len(found) - len(table), incomplete), strict=True))

    def read(self, path: Path) -> tuple[Image, tuple[str, ...]]:
        """Return a site, H×W×6, from the path of its first channel, see `sites.read_site`."""
        return read_site(path), ()
