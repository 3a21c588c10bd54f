"""HAM10000 (Tschandl et al. 2018): 10,015 dermoscopic images of 7,470 lesions, 7 diagnoses."""

from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pandas as pd

from sourcebench.datasets.base import KINDS
from sourcebench.datasets.dermoscopy import Dermoscopy, fetch_table
from sourcebench.datasets.ham10000 import tables
from sourcebench.parameters import parameter
from sourcebench.retrieval.archives import Archive, fetch_archives

_DATAVERSE = "https://dataverse.harvard.edu/api/access/datafile"

TABLE = (f"{_DATAVERSE}/4338392?format=original", "8f85fb1aa29d80a2797247e434deb79d")
"""Address and published MD5; without `format` the server sends another file, tab-separated."""

ARCHIVES = (
    Archive(
        "HAM10000_images_part_1.zip", f"{_DATAVERSE}/3172585", 1_366_522_108,
        "4639bfa73ab251610530a97c898e6e46",
    ),
    Archive(
        "HAM10000_images_part_2.zip", f"{_DATAVERSE}/3172584", 1_403_566_547,
        "da43d6cc50f6613013be07e8986b384b",
    ),
)  # fmt: skip
"""Of doi:10.7910/DVN/DBW86T, version 4, CC BY-NC 4.0; the MD5s are those that it publishes."""


@KINDS.register("ham10000")
@dataclass(frozen=True)
class HAM10000(Dermoscopy):
    """HAM10000: skin lesions of seven diagnoses from four sources, from Harvard's Dataverse.

    Args:
        keep_archives: whether the two archives stay after they were read, 2.8 GB.
        keep_all_images: whether images stay that no task needs.
    """

    fetched = "HAM10000_metadata.csv"
    table_names = ("HAM10000_metadata.csv", "HAM10000_metadata")
    needed = ("image_id", *(name for name in tables.COLUMNS if name != "image_id"))

    keep_archives: bool = parameter(
        False, help="whether each archive stays after it was read, 2.8 GB in all", decides=False
    )
    keep_all_images: bool = parameter(
        False,
        help="whether every image that arrives stays, not only those that a task needs",
        decides=False,
    )

    def invented(self) -> pd.DataFrame:
        """Return invented rows, see `tables.invented`."""
        return tables.invented()

    def arranged(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table in the form of every dataset, see `tables.arranged`."""
        return tables.arranged(table)

    def published(self) -> Path:
        """Fetch the table from Harvard's Dataverse, 0.7 MB."""
        url, md5 = TABLE
        return fetch_table(url, self.fetched, md5)

    def download(self, wanted: pd.DataFrame, folder: Path, terminal: TextIO) -> Path:
        """Fetch what is wanted from the two archives, see `fetch_archives`."""
        with redirect_stderr(terminal):  # where tqdm draws
            report = fetch_archives(
                ARCHIVES,
                list(wanted["image_id"]),
                folder,
                keep_archives=self.keep_archives,
                keep_all_images=self.keep_all_images,
                progress=terminal.isatty(),
            )
        print(report)
        return folder / "images"
