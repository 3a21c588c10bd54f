"""The nodules of LIDC-IDRI (Armato et al. 2011), a few small images of each."""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import pandas as pd

from sourcebench.datasets.base import KINDS, METADATA_COLUMNS
from sourcebench.datasets.lidc.dataset import LIDCIDRI
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.parameters import parameter

# pylidc, pydicom and their like are imported in the methods: the Snakefile reads this module.

_PLACE = re.compile(r"(?P<file>.+)#(?P<row>\d+),(?P<column>\d+)")


@KINDS.register("lidc_nodules")
@dataclass(frozen=True)
class LIDCNodules(LIDCIDRI):
    """LIDC-IDRI's nodules: squares around each, of its largest slice and the neighbours.

    The slices are those of kind `lidc_idri`, from the same places. *Understanding Silent Failures*
    (Bungert et al. 2023, section 2) takes five slices of each nodule. Pixels are the scanner's own,
    0.46 to 0.98 mm: nothing is resampled, so that a nodule's size in px is also one of the scan.

    Args:
        crop: side of the squares, px of the slice's 512; what lies outside of the slice is air.
        slices: of each nodule: the one where it is largest, and as many above as below.
    """

    crop: int = parameter(
        64,
        unit="px",
        help="side of the square that is cut out around a nodule; larger ones are left out",
        low=16,
        high=512,
    )
    slices: int = parameter(
        5,
        help="images of a nodule: the slice where it is largest and its neighbours",
        schema={"enum": [1, 3, 5], "description": "1, 3 or 5"},
    )

    def metadata(self) -> pd.DataFrame:
        """Return one row per image, with what the readers said of its nodule, see `crops`.

        `findings` is empty everywhere: the labels `malignancy` say what a class is.
        """
        table = self._crops().assign(sex=None, age=None, view="axial", findings="")
        further = [column for column in table if column not in METADATA_COLUMNS]
        return table[METADATA_COLUMNS + further]

    def download(self, wanted: pd.DataFrame, folder: Path, terminal: TextIO) -> Path:
        """Fetch the series of the wanted nodules' slices, as `lidc_idri` does."""
        return super().download(as_slices(wanted), folder, terminal)

    def index(
        self, folder: Path, cache: Path, processes: int, terminal: TextIO
    ) -> tuple[pd.DataFrame, dict[str, int]]:
        """Find the slices as `lidc_idri` does, and say with each image where its middle is.

        Returns:
            `image_id, path`: a path is that of the slice's file, '#', and the row and the column of
            the middle, such as '/scans/1-034.dcm#312,327'. One slice may show several nodules.
        """
        found, odd = super().index(folder, cache, processes, terminal)
        table = self._crops().merge(found.rename(columns={"image_id": "slice_id"}), on="slice_id")
        middle = table["row"].astype(str) + "," + table["column"].astype(str)
        table["path"] += "#" + middle
        return table[["image_id", "path"]], odd

    def read(self, path: Path) -> tuple[Image, tuple[str, ...]]:
        """Return the square around a nodule, `crop` px a side, its `window` of HU in grey levels.

        Args:
            path: as `index` returns it.
        """
        from sourcebench.retrieval.formats.ct import AIR_HU, read_hu, to_grey

        place = _PLACE.fullmatch(str(path))
        if place is None:
            raise SourceBenchError(
                f"{path} does not say where in the slice the nodule is; nodules are read by the "
                "paths that their index has, such as scan.dcm#312,327."
            )
        row, column = int(place["row"]), int(place["column"])
        hu, remarks = read_hu(Path(place["file"]))
        low, high = self.window
        square = np.full((self.crop, self.crop), AIR_HU, np.float32)
        top, left = row - self.crop // 2, column - self.crop // 2
        inside = hu[max(top, 0) : top + self.crop, max(left, 0) : left + self.crop]
        below, right = max(-top, 0), max(-left, 0)
        square[below : below + inside.shape[0], right : right + inside.shape[1]] = inside
        return to_grey(square, (low, high)), remarks

    def _crops(self) -> pd.DataFrame:
        from sourcebench.datasets.lidc_nodules.opinions import crops

        return crops(self.slices, self.crop)


def as_slices(wanted: pd.DataFrame) -> pd.DataFrame:
    """Return the slices that images of nodules are cut out of, each once.

    Args:
        wanted: rows of manifests, with a `slice_id`.

    Raises:
        SourceBenchError: there is no `slice_id`, since they are another dataset's.
    """
    if "slice_id" not in wanted:
        raise SourceBenchError(
            "The table of nodules lacks the column slice_id; it needs those of the metadata."
        )
    slices = wanted.drop(columns="image_id").rename(columns={"slice_id": "image_id"})
    return slices.drop_duplicates("image_id")
