"""Anybody's images: a folder of grey PNGs, and a CSV that says what they are."""

from pathlib import Path
from typing import Any, ClassVar

import pandas as pd

from sourcebench import files
from sourcebench.datasets.base import KINDS, METADATA_COLUMNS, Dataset
from sourcebench.errors import SourceBenchError


@KINDS.register("table")
class TableDataset(Dataset):
    """A dataset of the user's own, without a line of code."""

    properties: ClassVar[dict[str, Any]] = {
        "table": {"type": "string", "description": "a CSV file"},
    }
    required: ClassVar[list[str]] = ["table"]

    def fingerprint(self) -> str:
        """Return what decides the user's images and table: the folder's files, the CSV's bytes."""
        return super().fingerprint() + files.checksum(self.spec["table"])

    def metadata(self) -> pd.DataFrame:
        """Return the CSV's rows; `sex`, `age` and `view` may be missing there.

        Raises:
            SourceBenchError: no such file, a column is missing, or an image stands there twice.
        """
        path = Path(self.spec["table"])
        if not path.is_file():
            raise SourceBenchError(f"datasets.{self.name}.table: there is no file {path}.")
        table = pd.read_csv(path, dtype={"image_id": "str", "findings": "str"})
        missing = {"image_id", "patient_id", "findings"} - set(table)
        if missing:
            raise SourceBenchError(
                f"{path} lacks the column(s) {', '.join(sorted(missing))}; it needs image_id, "
                "patient_id and findings, and may have sex, age and view."
            )
        if (twice := table["image_id"].duplicated()).any():
            raise SourceBenchError(
                f"{path} has {twice.sum()} images twice, such as "
                f"{table.loc[twice, 'image_id'].iloc[0]}; give one row per image."
            )
        return table.reindex(columns=METADATA_COLUMNS)
