"""Anybody's images: a folder of them, and a CSV that says what they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pandas as pd

from sourcebench import files
from sourcebench.datasets.base import KINDS, METADATA_COLUMNS, Dataset
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.parameters import WrongParameter, parameter
from sourcebench.retrieval import tables
from sourcebench.retrieval.formats import SUFFIXES, read_image
from sourcebench.retrieval.formats.nifti import NIfTI

NEEDED = ("image_id", "patient_id", "findings")
COMPUTED = ["label", "role", "pair"]
"""Columns that tasks fill in; those of the user's by these names are left out."""

SLICE = r"^(.+)#\d+$"
"""An image_id that names a slice, and the volume in it."""


@KINDS.register("table")
@dataclass(frozen=True)
class TableDataset(Dataset):
    """A dataset of the user's own, without a line of code: a folder of images, and a CSV.

    The images are of any format that `read_image` knows, also of several. Slices of a volume are
    images called as `scan.nii.gz#12`.

    Args:
        table: the path of a CSV file, see `metadata`.
        window: the values that become 0 and 255 where images have more than 8 bits.
    """

    suffixes = SUFFIXES

    table: str = parameter(
        help="a CSV with `image_id, patient_id, findings`, perhaps `sex, age, view`, "
        "and any others that a confounder may go by"
    )

    window: Sequence[float] | None = parameter(
        None,
        help="the values that become black and white in images of more than 8 bits, DICOM and "
        "NIfTI; without it, what the file says, or else its format's range",
        schema={
            "type": "array",
            "minItems": 2,
            "maxItems": 2,
            "items": {"type": "number"},
            "description": "two numbers, black and white",
        },
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.window is not None and not self.window[0] < self.window[1]:
            raise WrongParameter(
                f"{self.noun} '{self.kind}'",
                "window",
                f"is {list(self.window)}; the second number, white, must be the greater.",
            )

    def fingerprint(self) -> str:
        """Return what decides the user's images and table: the folder's files, the CSV's bytes."""
        return super().fingerprint() + files.checksum(self.table)

    def metadata(self) -> pd.DataFrame:
        """Return the CSV's rows, with all its columns but `COMPUTED`, every cell as text.

        `sex`, `age` and `view` may be missing there; findings may be empty where none is known.

        Raises:
            SourceBenchError: no such file, or it is not as it must be, see `tables.read`; an
                id is missing, or an image stands there twice.
        """
        path = Path(self.table)
        if not path.is_file():
            raise SourceBenchError(f"{self.key}.table: there is no file {path}.")
        table = tables.read(path, NEEDED, filled=NEEDED[:2])
        if (twice := table["image_id"].duplicated()).any():
            name = table.loc[twice, "image_id"].iloc[0]
            lines = tables.in_words(table.index[table["image_id"] == name])
            raise SourceBenchError(
                f"{path} has {twice.sum()} images twice, such as {name} in {lines}; give one row "
                "per image, with its findings joined by '|'."
            )
        tidy = {text: _joined(text) for text in table["findings"].dropna().unique()}
        table["findings"] = table["findings"].map(tidy)
        further = table.columns.difference([*METADATA_COLUMNS, *COMPUTED], sort=False)
        return table.reindex(columns=[*METADATA_COLUMNS, *further]).reset_index(drop=True)

    def index(
        self, folder: Path, cache: Path, processes: int, terminal: TextIO
    ) -> tuple[pd.DataFrame, dict[str, int]]:
        """Find the images by their names, and the slices of volumes that the table names.

        `scan.nii.gz#12` is in the folder if `scan.nii.gz` is, which then is no image itself.
        """
        found, counts = super().index(folder, cache, processes, terminal)
        if not found["image_id"].str.lower().str.endswith(NIfTI.suffixes).any():
            return found, counts
        named = self.metadata()[["image_id"]]
        named = named.assign(volume=named["image_id"].str.extract(SLICE)[0])
        slices = named.merge(found.rename(columns={"image_id": "volume"}), on="volume")
        slices = slices[~slices["image_id"].isin(found["image_id"])]
        numbers = slices["image_id"].str.rpartition("#")[2]
        slices = slices.assign(path=slices["path"] + "#" + numbers)
        others = found[~found["image_id"].isin(slices["volume"])]
        table = pd.concat([others, slices[["image_id", "path"]]])
        return table.sort_values("image_id", ignore_index=True), counts

    def read(self, path: Path) -> tuple[Image, tuple[str, ...]]:
        """Read an image of any format, grey or RGB, see `read_image`."""
        return read_image(path, (self.window[0], self.window[1]) if self.window else None)


def _joined(findings: str) -> str:
    """Return findings without the spaces around their names."""
    return "|".join(name.strip() for name in findings.split("|"))
