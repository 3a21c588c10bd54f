"""CheXpert (Irvin et al. 2019): 223,414 labelled radiographs of 64,540 patients."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pandas as pd

from sourcebench.datasets.base import KINDS, Dataset
from sourcebench.datasets.chexpert import tables
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.retrieval.folders import missing, walk
from sourcebench.retrieval.formats.jpeg import read_jpeg

_PLACE = re.compile(r"patient\d+/study\d+")
_NAME = re.compile(r"view\d+_(frontal|lateral)\.jpg")


@KINDS.register("chexpert")
@dataclass(frozen=True)
class CheXpert(Dataset):
    """CheXpert: the user's copy of the images, full or small, the table of `torchxrayvision`.

    The originals are JPEGs of many sizes, wider or higher than square, so that a task on them needs
    a `fit`. Irvin et al. train at 320 px, the shorter side of the images of CheXpert-v1.0-small.
    """

    suffixes = (".jpg",)
    asked_for = True

    def metadata(self) -> pd.DataFrame:
        """Return the published table, see `tables.metadata`."""
        return tables.metadata()

    def download(self, wanted: pd.DataFrame, folder: Path, terminal: TextIO) -> Path:
        """Say where to ask for the images: Stanford wants to know who uses them."""
        raise SourceBenchError(
            f"{self.key}: CheXpert can't be fetched by a program, since Stanford asks "
            "for a registration; get it from the Stanford AIMI shared datasets "
            "(stanfordaimi.azurewebsites.net, 'CheXpert: Chest X-rays'), then set origin to "
            "'path' and path to the unpacked folder, or try origin 'phantoms'."
        )

    def index(
        self, folder: Path, cache: Path, processes: int, terminal: TextIO
    ) -> tuple[pd.DataFrame, dict[str, int]]:
        """Find the images by the end of their paths, patient/study/view.

        CheXpert-v1.0 and CheXpert-v1.0-small have them in `train` and `valid`; the batches that
        Stanford hands out now have folders such as 'CheXpert-v1.0 batch 2 (train 1)' instead, so
        whatever does not lie in a folder `valid` or `test` is of the training set. Of two files
        for one image, as when both the small and the full ones are there, the first in the sorted
        order of the paths is taken.

        Raises:
            SourceBenchError: no such folder, or no image in it.
        """
        if not folder.is_dir():
            raise SourceBenchError(
                f"The image folder {folder} does not exist or is no folder{missing(folder)}."
            )
        found = pd.DataFrame(sorted(_images(folder)), columns=["path", "image_id"])
        if found.empty:
            raise SourceBenchError(
                f"There is no patient00001/study1/view1_frontal.jpg, or the like, in {folder} or "
                "below it. Give the folder that holds CheXpert's images (unpack archives first)."
            )
        first = found.drop_duplicates("image_id")[["image_id", "path"]]
        counts = {"duplicates": len(found) - len(first)}
        return first.sort_values("image_id", ignore_index=True), counts

    def read(self, path: Path) -> tuple[Image, tuple[str, ...]]:
        """Read an 8-bit grey JPEG of any size; nothing is odd about any."""
        return read_jpeg(path), ()


def _images(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield path and image_id of everything that lies as CheXpert's images do."""
    for entry in walk(folder.absolute()):
        *_, part, patient, study, name = ("", "", "", *Path(entry.path).parts)
        if _PLACE.fullmatch(f"{patient}/{study}") and _NAME.fullmatch(name):
            part = part if part in ("valid", "test") else "train"
            yield entry.path, f"{part}/{patient}/{study}/{name}"
