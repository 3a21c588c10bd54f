"""ISIC 2020 (Rotemberg et al. 2021): 33,126 dermoscopic images of 2,056 patients."""

import fnmatch
from contextlib import redirect_stderr
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pandas as pd

from sourcebench import files
from sourcebench.datasets.base import KINDS
from sourcebench.datasets.dermoscopy import Dermoscopy, fetch_table
from sourcebench.datasets.isic2020 import tables
from sourcebench.parameters import parameter
from sourcebench.retrieval import tables as written
from sourcebench.retrieval.archives import Archive, fetch_archives
from sourcebench.retrieval.folders import walk

_BUCKET = "https://isic-challenge-data.s3.amazonaws.com/2020"
TABLE = "ISIC_2020_Training_GroundTruth_v2.csv"
ARCHIVES = (Archive("ISIC_2020_Training_JPEG.zip", f"{_BUCKET}/ISIC_2020_Training_JPEG.zip"),)
"""CC BY-NC 4.0 (doi:10.34970/2020-ds01); no size or checksum is published."""

OF_CLINICS = "challenge-2020-training_metadata*.csv"
"""What the ISIC archive calls a download of its metadata of this collection, with a date."""


@KINDS.register("isic2020")
@dataclass(frozen=True)
class ISIC2020(Dermoscopy):
    """ISIC 2020: skin lesions of patients with many, 1.8 % of them melanomas, from five clinics.

    The challenge's table does not say which clinic an image is from. The ISIC archive does, in
    the column `attribution` of its metadata (collection 70, 'Challenge 2020: Training').

    Args:
        clinics: that metadata, where it lies elsewhere than in the folder of images.
        keep_archives: whether the archive stays after it was read, 23 GB.
        keep_all_images: whether images stay that no task needs.
    """

    fetched = TABLE
    table_names = (TABLE,)
    needed = tables.COLUMNS

    clinics: str | None = parameter(
        None,
        help="a CSV with `isic_id` and `attribution`, as `isic metadata download --collections 70` "
        "writes it, if it lies elsewhere than in the images' folder; without it no clinic is known",
        decides=False,
    )
    keep_archives: bool = parameter(
        False, help="whether the archive stays after it was read, 23 GB", decides=False
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

    def original(self) -> pd.DataFrame:
        """Return the challenge's table, with the archive's `attribution` where that is there."""
        table = super().original()
        if (path := self._clinics()) is None:
            return table
        archive = written.read(path, ("isic_id", "attribution"), filled=("isic_id",))
        known = archive.drop_duplicates("isic_id").set_index("isic_id")["attribution"]
        return table.assign(attribution=known.reindex(table["image_name"]).to_numpy())

    def fingerprint(self) -> str:
        """Return what decides images and tables, the clinics' too."""
        path = self._clinics()
        return super().fingerprint() + (files.checksum(path) if path else "")

    def _clinics(self) -> Path | None:
        if self.clinics is not None:
            return Path(self.clinics)
        there = walk(self.folder) if self.folder else ()
        found = [entry.path for entry in there if fnmatch.fnmatch(entry.name, OF_CLINICS)]
        return Path(max(found)) if found else None

    def published(self) -> Path:
        """Fetch the challenge's table, 3 MB."""
        return fetch_table(f"{_BUCKET}/{TABLE}", self.fetched)

    def download(self, wanted: pd.DataFrame, folder: Path, terminal: TextIO) -> Path:
        """Fetch what is wanted from the archive of 23 GB, see `fetch_archives`."""
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
