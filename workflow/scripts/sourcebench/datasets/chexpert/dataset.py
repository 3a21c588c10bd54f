"""CheXpert (Irvin et al. 2019): 223,414 labelled radiographs of 64,540 patients."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np
import pandas as pd

from sourcebench.datasets.base import KINDS, Dataset
from sourcebench.datasets.chexpert import tables
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.parameters import parameter
from sourcebench.retrieval.folders import walk
from sourcebench.retrieval.formats.jpeg import read_jpeg

SIDE = 320
"""Irvin et al. train at 320×320 px; it is the shorter side of the images of CheXpert-v1.0-small."""

_PLACE = re.compile(r"patient\d+/study\d+")
_NAME = re.compile(r"view\d+_(frontal|lateral)\.jpg")


def _pad(image: Image) -> Image:
    height, width = image.shape
    side = max(height, width)
    top, left = (side - height) // 2, (side - width) // 2
    padded = np.zeros((side, side), np.uint8)
    padded[top : top + height, left : left + width] = image
    return padded


def _crop(image: Image) -> Image:
    height, width = image.shape
    side = min(height, width)
    top, left = (height - side) // 2, (width - side) // 2
    return image[top : top + side, left : left + side]


def _stretch(image: Image) -> Image:
    return image


FITS: dict[str, Callable[[Image], Image]] = {"pad": _pad, "crop": _crop, "stretch": _stretch}


@KINDS.register("chexpert")
@dataclass(frozen=True)
class CheXpert(Dataset):
    """CheXpert: the user's copy of the images, full or small, the table of `torchxrayvision`.

    The originals are JPEGs of many sizes, wider or higher than square. `read` makes squares of one
    size of them: it pads with black (nothing is lost, nothing distorted), crops the centre, or
    stretches, and then resizes to `side` px by averaging areas.

    Args:
        side: of the squares, px.
        fit: how a radiograph becomes square: 'pad', 'crop' or 'stretch'.
    """

    suffixes = (".jpg",)

    side: int = parameter(
        SIDE, unit="px", help="side of the square that a radiograph becomes", low=16, high=4096
    )
    fit: str = parameter(
        "pad", help="how a radiograph becomes square; pad adds black borders", choices=tuple(FITS)
    )

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
                f"The image folder {folder} does not exist or is no folder. Check the path."
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
        """Read an image as a square of `side` px, see the class; nothing is odd about any."""
        image, size = FITS[self.fit](read_jpeg(path)), (self.side, self.side)
        if image.shape == size:
            return image, ()
        how = cv2.INTER_AREA if self.side < max(image.shape) else cv2.INTER_LINEAR
        return np.asarray(cv2.resize(image, size, interpolation=how), np.uint8), ()


def _images(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield path and image_id of everything that lies as CheXpert's images do."""
    for entry in walk(folder.absolute()):
        *_, part, patient, study, name = ("", "", "", *Path(entry.path).parts)
        if _PLACE.fullmatch(f"{patient}/{study}") and _NAME.fullmatch(name):
            part = part if part in ("valid", "test") else "train"
            yield entry.path, f"{part}/{patient}/{study}/{name}"
