"""derm7pt (Kawahara et al. 2019): 1,011 cases, a dermoscopic image and seven points of each."""

from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pandas as pd

from sourcebench.datasets.base import KINDS
from sourcebench.datasets.derm7pt import tables
from sourcebench.datasets.dermoscopy import Dermoscopy
from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.folders import missing, walk


@KINDS.register("derm7pt")
@dataclass(frozen=True)
class Derm7pt(Dermoscopy):
    """derm7pt: dermoscopic images of an atlas, 20 diagnoses, the user's copy."""

    asked_for = True
    table_names = ("meta.csv",)
    needed = ("derm", *(name for name in tables.COLUMNS if name != "derm"))
    ask = (
        "derm7pt can't be fetched by a program, since its authors want to know who uses it; ask "
        "for it at derm.cs.sfu.ca ('Download'), and unpack release_v0.zip."
    )

    def invented(self) -> pd.DataFrame:
        """Return invented rows, see `tables.invented`."""
        return tables.invented()

    def arranged(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table in the form of every dataset, see `tables.arranged`."""
        return tables.arranged(table)

    def index(
        self, folder: Path, cache: Path, processes: int, terminal: TextIO
    ) -> tuple[pd.DataFrame, dict[str, int]]:
        """Find the images by the end of their paths, folder/name, as the table names them.

        Of two files for one image the first in the sorted order of the paths is taken.

        Raises:
            SourceBenchError: no such folder, or no image in it.
        """
        if not folder.is_dir():
            raise SourceBenchError(
                f"The image folder {folder} does not exist or is no folder{missing(folder)}."
            )
        files = sorted(
            entry.path
            for entry in walk(folder.absolute())
            if entry.name.lower().endswith(self.suffixes) and not entry.name.startswith(".")
        )
        if not files:
            raise SourceBenchError(
                f"There is no image such as NEL/Nel026.jpg in {folder} or below it. Give the "
                "folder that release_v0.zip unpacks to."
            )
        names = ["/".join(Path(file).parts[-2:]) for file in files]
        found = pd.DataFrame({"image_id": names, "path": files})
        first = found.drop_duplicates("image_id").sort_values("image_id", ignore_index=True)
        return first, {"duplicates": len(found) - len(first)}
