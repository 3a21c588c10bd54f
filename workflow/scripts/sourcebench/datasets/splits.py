"""Splits that somebody published, read as they are, and an audit for anybody's splits.

The layout is the one of *Source Matters*: `test.csv`, `train_fold<k>.csv` and `val_fold<k>.csv`
with the columns `path` (file name), `pid` (patient), `class` and sometimes `Patient Gender`;
where the development set changes with p_art, the folds lie in folders `F_<percent>`.
"""

import re
from pathlib import Path

import pandas as pd

from sourcebench.datasets import user_tables
from sourcebench.errors import SourceBenchError

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
    table = user_tables.read(path, COLUMNS, filled=COLUMNS)
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


def audit(splits: pd.DataFrame) -> pd.DataFrame:
    """Tell sizes, class balance and shared patients of any splits.

    Args:
        splits: long form, as `read` returns it.

    Returns:
        One row per p_art and fold: images and share of positives in train, val and test, the
        number of patients that two parts share (`train_val`, `train_test`, `val_test`),
        `leaked` (patients of the training or validation set that are also in the test set) and
        `verdict` (a sentence).
    """
    test = splits[splits["part"] == "test"]
    rows = []
    development = splits[splits["part"] != "test"]
    for (p_art, fold), fold_rows in development.groupby(["p_art", "fold"], dropna=False):
        parts = {
            "train": fold_rows[fold_rows["part"] == "train"],
            "val": fold_rows[fold_rows["part"] == "val"],
            "test": test[test["p_art"].isna() | (test["p_art"] == p_art)],
        }
        row: dict[str, object] = {"p_art": p_art, "fold": fold}
        for name, part in parts.items():
            row[f"n_{name}"] = len(part)
            positive = (part["label"] == 1).mean() if len(part) else float("nan")
            row[f"positive_{name}"] = round(positive, 3)
        patients = {name: set(part["patient_id"]) for name, part in parts.items()}
        for one, other in (("train", "val"), ("train", "test"), ("val", "test")):
            row[f"{one}_{other}"] = len(patients[one] & patients[other])
        row["leaked"] = len((patients["train"] | patients["val"]) & patients["test"])
        row["verdict"] = _verdict(row)
        rows.append(row)
    return pd.DataFrame(rows)


def _verdict(row: dict[str, object]) -> str:
    problems = []
    if row["leaked"]:
        problems.append(f"{row['leaked']} patients are in development and test")
    if row["train_val"]:
        problems.append(f"{row['train_val']} patients are in train and val")
    return "; ".join(problems) or "patient-disjoint"
