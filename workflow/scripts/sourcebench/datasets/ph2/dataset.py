"""PH2 (Mendonça et al. 2013): 200 dermoscopic images of melanocytic lesions, 40 melanomas."""

from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pandas as pd

from sourcebench.datasets.base import KINDS
from sourcebench.datasets.dermoscopy import Dermoscopy
from sourcebench.datasets.ph2 import tables
from sourcebench.errors import SourceBenchError


@KINDS.register("ph2")
@dataclass(frozen=True)
class PH2(Dermoscopy):
    """PH2: common and atypical naevi and melanomas from Pedro Hispano Hospital, the user's copy."""

    suffixes = (".bmp",)
    asked_for = True
    table_names = ("PH2_dataset.txt",)
    needed = tables.COLUMNS
    ask = (
        "PH2 can't be fetched by a program, since its authors want to know who uses it; ask for it "
        "at www.fc.up.pt/addi/ph2%20database.html, and unpack PH2Dataset.rar."
    )

    def invented(self) -> pd.DataFrame:
        """Return invented rows, see `tables.invented`."""
        return tables.invented()

    def original(self) -> pd.DataFrame:
        """Return the rows of PH2_dataset.txt, see `tables.read`."""
        return tables.read(self.table_file())

    def arranged(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table in the form of every dataset, see `tables.arranged`."""
        return tables.arranged(table)

    def index(
        self, folder: Path, cache: Path, processes: int, terminal: TextIO
    ) -> tuple[pd.DataFrame, dict[str, int]]:
        """Find the images, but not the masks beside them, which are BMPs as well.

        Raises:
            SourceBenchError: no such folder, or no image in it.
        """
        found, counts = super().index(folder, cache, processes, terminal)
        images = found[found["image_id"].str.fullmatch(r"IMD\d+\.bmp")]
        if images.empty:
            raise SourceBenchError(
                f"There is no image such as IMD003.bmp in {folder} or below it. Give the folder "
                "that PH2Dataset.rar unpacks to."
            )
        return images.reset_index(drop=True), counts
