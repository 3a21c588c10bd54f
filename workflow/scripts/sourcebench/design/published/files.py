"""The files of splits that somebody published, read as they are.

The layout is the one of *Source Matters*: `test.csv`, `train_fold<k>.csv` and `val_fold<k>.csv`
with the columns `path` (file name), `pid` (patient), `class` and sometimes `Patient Gender`;
where the development set changes with p_art, the folds lie in folders `F_<percent>`.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from sourcebench.errors import SourceBenchError
from sourcebench.retrieval import tables
from sourcebench.retrieval.small_files import fetch_folder

COLUMNS = ("path", "pid", "class")
LONG_COLUMNS = ["p_art", "fold", "part", "image_id", "patient_id", "label", "sex"]
_FOLD = re.compile(r"(train|val)_fold(\d+)\.csv")
_SHARE = re.compile(r"F_(\d+)")


def file_names(folds: int, p_art: list[float] | None = None) -> list[str]:
    """Return the files that published splits consist of, relative to their folder.

    Args:
        folds: number of folds.
        p_art: the shares that have folds of their own (folders `F_<percent>`), if any.
    """
    folders = [""] if p_art is None else [f"F_{round(100 * share)}/" for share in p_art]
    return ["test.csv"] + [
        f"{folder}{part}_fold{fold}.csv"
        for folder in folders
        for part in ("train", "val")
        for fold in range(1, folds + 1)
    ]


def read(folder: Path, positive: str) -> pd.DataFrame:
    """Read published splits.

    Args:
        folder: holds the layout above.
        positive: the value of `class` that is the positive class.

    Returns:
        One row per image, part and fold: `p_art` (missing where it makes no difference), `fold`
        (missing for the test set), `part` (train|val|test), `image_id` and `patient_id` (text),
        `label` (0|1), `sex` (M|F or missing).

    Raises:
        SourceBenchError: a file, a column or a cell is missing, or the classes are not as said.
    """
    folder = Path(folder)
    frames = [_read_file(folder / "test.csv", positive).assign(part="test")]
    # Folds that do not depend on p_art lie in the folder itself, the others in F_<percent>.
    paths = list(folder.glob("*_fold*.csv")) or list(folder.glob("F_*/*_fold*.csv"))
    for path in sorted(paths):
        name, share = _FOLD.fullmatch(path.name), _SHARE.fullmatch(path.parent.name)
        if name is not None:
            p_art = int(share[1]) / 100 if share else float("nan")
            frame = _read_file(path, positive)
            frames.append(frame.assign(part=name[1], fold=int(name[2]), p_art=p_art))
    if len(frames) == 1:
        raise SourceBenchError(f"No train_fold<k>.csv or val_fold<k>.csv in {folder}.")
    table = pd.concat(frames, ignore_index=True)
    return table.reindex(columns=LONG_COLUMNS)


def _read_file(path: Path, positive: str) -> pd.DataFrame:
    if not path.is_file():
        raise SourceBenchError(f"Published splits need the file {path}, which is not there.")
    table = tables.read(path, COLUMNS, filled=COLUMNS)
    if positive not in set(table["class"]):
        raise SourceBenchError(
            f"{path} has the classes {sorted(set(table['class']))}, none of which is the positive "
            f"class '{positive}' of the config."
        )
    return pd.DataFrame(
        {
            "image_id": table["path"],
            "patient_id": table["pid"],
            "label": (table["class"] == positive).astype(int),
            "sex": table.get("Patient Gender", pd.NA),
        }
    )


def fetch(entry: Mapping[str, Any], folder: Path) -> pd.DataFrame:
    """Read published splits from a folder or from the net.

    Args:
        entry: of `splits` in the config: `path`, or `url` with `sha256`, `folds` and sometimes
            `p_art`; `positive`.
        folder: where files from the net are put.

    Returns:
        As `read`.

    Raises:
        SourceBenchError: files missing, checksum wrong, or contents not as described.
    """
    if "path" in entry:
        return read(Path(entry["path"]), entry["positive"])
    names = file_names(entry["folds"], entry.get("p_art"))
    fetch_folder(entry["url"], names, entry["sha256"], folder)
    return read(folder, entry["positive"])
