"""Anybody's images: a folder of grey PNGs, and a CSV that says what they are."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from sourcebench import files
from sourcebench.datasets.base import KINDS, METADATA_COLUMNS, Dataset
from sourcebench.errors import SourceBenchError
from sourcebench.parameters import parameter
from sourcebench.retrieval import tables

NEEDED = ("image_id", "patient_id", "findings")
COMPUTED = ["label", "role", "pair"]
"""Columns that tasks fill in; those of the user's by these names are left out."""


@KINDS.register("table")
@dataclass(frozen=True)
class TableDataset(Dataset):
    """A dataset of the user's own, without a line of code: a folder of PNGs, and a CSV.

    Args:
        table: the path of a CSV file, see `metadata`.
    """

    table: str = parameter(
        help="a CSV with `image_id, patient_id, findings`, perhaps `sex, age, view`, "
        "and any others that a confounder may go by"
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


def _joined(findings: str) -> str:
    """Return findings without the spaces around their names."""
    return "|".join(name.strip() for name in findings.split("|"))
