"""MIMIC-CXR-JPG (Johnson et al. 2019): 377,110 radiographs of 227,827 studies, by one hospital."""

from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TextIO

import pandas as pd

from sourcebench import files
from sourcebench.datasets.base import KINDS, Dataset
from sourcebench.datasets.mimic import invented
from sourcebench.datasets.mimic import tables as published
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.retrieval.formats.jpeg import read_jpeg


@KINDS.register("mimic_cxr")
@dataclass(frozen=True)
class MIMICCXR(Dataset):
    """MIMIC-CXR-JPG: the user's copy of the images and tables, version 2.0.0 or 2.1.0.

    The originals are JPEGs of many sizes, so that a task on them needs a `fit`. With origin
    'phantoms' the rows are invented, since the real ones may not be shipped.

    Args:
        tables: with origin 'path', the folder of the tables; None for that of the images, or the
            one above it. `patients.csv.gz` of MIMIC-IV, if it is there, tells sex and age.
    """

    suffixes = (".jpg",)
    asked_for = True

    tables: str | None = parameter(
        None,
        help="with origin `path`: the folder with `mimic-cxr-2.0.0-metadata.csv.gz`, that of "
        "`chexpert`, perhaps that of `split`, and `patients.csv.gz` of MIMIC-IV for sex and age; "
        "left out, `path` or the folder above it",
        decides=False,
    )

    def metadata(self) -> pd.DataFrame:
        """Return a row per radiograph, see `tables.joined`; with origin 'phantoms' invented ones.

        Raises:
            SourceBenchError: a table is missing or damaged, or the origin is 'download'.
        """
        if self.origin == "download":
            self._refuse()
        return invented.metadata() if self.folder is None else published.read(self._places())

    def fingerprint(self) -> str:
        """Return what decides images and tables: the folder's files, the tables' bytes."""
        if self.folder is None:
            return super().fingerprint()
        return super().fingerprint() + "".join(map(files.checksum, self._places().values()))

    def download(self, wanted: pd.DataFrame, folder: Path, terminal: TextIO) -> Path:
        """Say where to ask for the images: PhysioNet wants to know who uses them."""
        self._refuse()

    def read(self, path: Path) -> tuple[Image, tuple[str, ...]]:
        """Read an 8-bit grey JPEG of any size; nothing is odd about any."""
        return read_jpeg(path), ()

    def _places(self) -> dict[str, Path]:
        folder = Path(str(self.path))
        try:
            return published.find(
                [Path(self.tables)] if self.tables else [folder, folder.absolute().parent]
            )
        except SourceBenchError as error:
            raise SourceBenchError(f"{self.key}: {error}") from error

    def _refuse(self) -> NoReturn:
        raise SourceBenchError(
            f"{self.key}: MIMIC-CXR-JPG can't be fetched by a program, since PhysioNet gives it to "
            "credentialed users who took its training and signed; ask at "
            "physionet.org/content/mimic-cxr-jpg, then set origin to 'path' and path to the "
            "folder that holds 'files' and the tables, or try origin 'phantoms'."
        )
