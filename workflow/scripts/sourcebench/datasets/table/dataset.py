"""Anybody's images: a folder of them, and a CSV that says what they are."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import pandas as pd

from sourcebench import files
from sourcebench.datasets import matching
from sourcebench.datasets.base import KINDS, METADATA_COLUMNS, Dataset
from sourcebench.errors import SourceBenchError, number
from sourcebench.imaging import Image
from sourcebench.parameters import WrongParameter, parameter
from sourcebench.retrieval import tables
from sourcebench.retrieval.folders import index_folder, walk
from sourcebench.retrieval.formats import SUFFIXES, read_image
from sourcebench.retrieval.formats.nifti import NIfTI

NEEDED = ("image_id", "patient_id", "findings")
COMPUTED = ["label", "role", "pair", "class", "held_out"]
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
        columns: the house's name of a column → the table's.
        window: the values that become 0 and 255 where images have more than 8 bits.

    Raises:
        SourceBenchError: two names for one column, a name that tasks fill in, or a window that
            is none.
    """

    suffixes = SUFFIXES

    table: str = parameter(
        help="a CSV with `image_id, patient_id, findings`, perhaps `sex, age, view`, "
        "and any others that a confounder may go by"
    )
    columns: Mapping[str, str] | None = parameter(
        None,
        help="what the table calls a column: `{patient_id: subject, image_id: file}`; others have "
        "the names that they have here",
        schema={
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": "string", "minLength": 1},
            "description": "name here → name in the table",
        },
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
        owner, given = f"{self.noun} '{self.kind}'", self.columns or {}
        if self.window is not None and not self.window[0] < self.window[1]:
            raise WrongParameter(
                owner,
                "window",
                f"is {list(self.window)}; the second number, white, must be the greater.",
            )
        if taken := [name for name in given if name in COMPUTED]:
            raise WrongParameter(
                owner,
                f"columns.{taken[0]}",
                "is a column that tasks fill in; give it another name, such as "
                f"'{taken[0]}_of_mine'.",
            )
        theirs = list(self._names.values())
        if twice := [name for name in theirs if theirs.count(name) > 1]:
            both = " and ".join(house for house, name in self._names.items() if name == twice[0])
            raise WrongParameter(
                owner, "columns", f"has '{twice[0]}' for {both}; give every column one name."
            )

    @property
    def _names(self) -> dict[str, str]:
        """The names here of columns that there have to be → the table's."""
        return {name: name for name in NEEDED} | dict(self.columns or {})

    def fingerprint(self) -> str:
        """Return what decides the user's images and table: the folder's files, the CSV's bytes."""
        return super().fingerprint() + files.checksum(self.table)

    def metadata(self) -> pd.DataFrame:
        """Return the CSV's rows, with all its columns but `COMPUTED`, every cell as text.

        `sex`, `age` and `view` may be missing there; findings may be empty where none is known.
        Paths in `image_id` have folders after '/'. A column whose name here is another's in
        `columns` is left out.

        Raises:
            SourceBenchError: no such file, or it is not as it must be, see `tables.read`; an
                id is missing, or an image stands there twice.
        """
        path = Path(self.table)
        if not path.is_file():
            raise SourceBenchError(f"{self.key}.table: there is no file {path}.")
        names = self._names
        mend = f"rename that, or {'correct' if self.columns else 'say so in'} {self.key}.columns"
        ids = [names[name] for name in NEEDED[:2]]
        table = tables.read(path, list(names.values()), filled=ids, mend=mend)
        table = table.drop(columns=set(names) - set(names.values()), errors="ignore")
        table = table.rename(columns={theirs: name for name, theirs in names.items()})
        if matching.has_folders(table["image_id"]):
            table["image_id"] = table["image_id"].str.replace("\\", "/").str.removeprefix("./")
        if (twice := table["image_id"].duplicated()).any():
            name = table.loc[twice, "image_id"].iloc[0]
            lines = tables.in_words(table.index[table["image_id"] == name])
            images = number(table.loc[twice, "image_id"].nunique(), "image")
            raise SourceBenchError(
                f"{path} has {images} in more than one row, such as {name} in {lines}"
                f"{self._how_to_tell_apart(name)}"
            )
        tidy = {text: _joined(text) for text in table["findings"].dropna().unique()}
        table["findings"] = table["findings"].map(tidy)
        further = table.columns.difference([*METADATA_COLUMNS, *COMPUTED], sort=False)
        return table.reindex(columns=[*METADATA_COLUMNS, *further]).reset_index(drop=True)

    def _how_to_tell_apart(self, name: str) -> str:
        """Return the end of a sentence about an image that is in the table more than once."""
        if self.folder and self.folder.is_dir():
            there = [Path(each.path) for each in walk(self.folder) if each.name == name]
            if len(there) > 1:
                paths = sorted(path.relative_to(self.folder).as_posix() for path in there)
                return (
                    ". The table's names have no folders, but the images lie in several: "
                    f"{paths[0]} and {paths[1]}, for two. Write such paths in place of the names."
                )
        return "; give one row per image, with its findings joined by '|'."

    def index(
        self, folder: Path, cache: Path, processes: int, terminal: TextIO
    ) -> tuple[pd.DataFrame, dict[str, int]]:
        """Find images by their names, or by their paths below the folder if the table has paths.

        Then two files of one name in two folders are two images, and none is a duplicate. A slice
        that the table names, `scan.nii.gz#12`, is there if `scan.nii.gz` is, which then is no
        image itself.

        Raises:
            SourceBenchError: as `Dataset.index`; or as `metadata`, of a table that is there.
        """
        if Path(self.table).is_file() and matching.has_folders(self.metadata()["image_id"]):
            found, counts = index_folder(folder, self.suffixes, by_path=True), {"duplicates": 0}
        else:
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
