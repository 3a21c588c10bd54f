"""The table of all runs, one row per run, confounder and test set, and the files it is made of."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet

from sourcebench.axes import AXES, FURTHER, USUAL
from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.metrics import METRICS, OF_SEVERAL, columns_of_logits
from sourcebench.files import read_json

EFFORT_DTYPES = {
    "best_epoch": "int64", "epochs": "int64", "seconds": "float64",
    "n_train": "int64", "n_val": "int64",
}  # fmt: skip
BOUNDS = ("auroc_low", "auroc_high")
"""Of the interval of one run's AUROC."""
AXIS_DTYPES = {**{axis.name: axis.dtype for axis in AXES}, "test_set": "str"}
TEXT = (
    "source_a", "source_b", "of", "class", "contrast", "skilled", "score", "metric", "column",
    "group", "shift", "family",
)  # fmt: skip
"""Columns of tables that are text whatever they hold."""
PREDICTION_COLUMNS = ["test_set", "image_id", "patient_id", "label", "artifact"]
"""Columns of predictions that have a value in every row, as the logits have."""


def measured() -> list[str]:
    """Return the columns of runs.csv that hold results; all others are axes of the experiment.

    Those of metrics in `OF_SEVERAL` are there if a task has more than two classes.
    """
    return ["n", *METRICS.names(), *BOUNDS, *EFFORT_DTYPES, "skilled"]


def columns(further: Collection[str] = ()) -> list[str]:
    """Return the axes that are columns of runs.csv, in its order: fold and test set are the last.

    Args:
        further: names of those axes that not every study has.
    """
    usual = [axis.name for axis in USUAL if axis.name != "fold"]
    return [*usual, *(axis.name for axis in FURTHER if axis.name in further), "fold", "test_set"]


def axes(runs: pd.DataFrame) -> list[str]:
    """Return the columns of `runs` that are axes of the experiment, further ones included."""
    return [column for column in runs.columns if column not in measured()]


def read_runs(path: str | Path) -> pd.DataFrame:
    """Read runs.csv with the dtypes that it was made with, whatever the names ("NA", "007").

    Raises:
        SourceBenchError: there is no such file, or it is not a table of runs.
    """
    runs = read_table(path)
    needed = [name for name in METRICS.names() if name not in OF_SEVERAL]
    if lacking := [name for name in (*columns(), *needed) if name not in runs]:
        raise _wrong(path, f"it has no column {', '.join(lacking)}")
    return runs.astype({name: "float64" for name in METRICS.names() if name in runs})


def read_table(path: str | Path) -> pd.DataFrame:
    """Read a table of a study with its axes' dtypes; where something is missing, it is NaN.

    Raises:
        SourceBenchError: there is no such file, or it is no table.
    """
    try:
        there = list(pd.read_csv(path, nrows=0).columns)
        text = {name: "str" for name in there if name in TEXT}
        known = {name: AXIS_DTYPES[name] for name in there if name in AXIS_DTYPES} | text
        missing = {name: ["", "nan"] for name in there if known.get(name) != "str"}
        table = pd.read_csv(path, dtype=known, keep_default_na=False, na_values=missing)
        return table.astype({"p_art": "float64"}) if "p_art" in there else table
    except (OSError, ValueError, KeyError) as error:
        raise _wrong(path, str(error)) from error


def together(paths: Sequence[str | Path]) -> pd.DataFrame:
    """Return tables of one kind as one, under each other; text, so that nothing is rounded anew.

    A column that only some have, as of more than two classes, stands where the widest has it.
    """
    read = [pd.read_csv(path, dtype=str, keep_default_na=False) for path in paths]
    widest = max(read, key=lambda table: table.shape[1])
    table = pd.concat([each for each in read if len(each)] or [widest], ignore_index=True)
    order = [*widest, *(name for name in table if name not in widest)]
    return table.reindex(columns=order).fillna("")


class Tables:
    """The tables of a study, each read when it is asked for first.

    Args:
        paths: their files, by their names.
    """

    def __init__(self, paths: Mapping[str, str | Path]) -> None:
        self._paths = paths
        self._read: dict[str, pd.DataFrame] = {}

    def __getitem__(self, name: str) -> pd.DataFrame:
        """Return a table.

        Raises:
            SourceBenchError: its file is missing, or no table.
        """
        if name not in self._read:
            read = read_runs if name == "runs" else read_table
            self._read[name] = read(self._paths[name])
        return self._read[name]


def _wrong(path: str | Path, why: str) -> SourceBenchError:
    return SourceBenchError(
        f"{path} is not a table of runs ({why}); delete it and run the workflow again."
    )


def read_record(path: Path, keys: Sequence[str]) -> dict[str, Any]:
    """Return the wanted keys of a run.json, numbers as numbers."""
    number = {"float64": float, "int64": int, "str": str}
    dtypes = AXIS_DTYPES | EFFORT_DTYPES
    try:
        content = read_json(path)
        return {key: number[dtypes[key]](content[key]) for key in keys}
    except KeyError as error:
        raise damaged(path, f"it lacks {error}") from error
    except (OSError, ValueError, TypeError) as error:
        raise damaged(path, str(error)) from error


def read_predictions(path: Path, confounder: str, *, measured: bool = False) -> pd.DataFrame:
    """Return a run's predictions under a confounder.

    Args:
        path: of the file.
        confounder: its name.
        measured: whether what was measured beside the logits is wanted, see `training.measures`.

    Raises:
        SourceBenchError: the file is missing or damaged (named), it has no predictions under the
            confounder, or values are missing in it.
    """
    try:
        there = pyarrow.parquet.read_schema(path).names
        wanted = [("confounder", "==", confounder)]
        columns = [*PREDICTION_COLUMNS, *columns_of_logits(there)]
        if measured:
            columns += [name for name in there if name not in (*columns, "confounder", "probe")]
        predictions = pd.read_parquet(path, columns=[*columns, "probe"], filters=wanted)
    except (OSError, ValueError, KeyError) as error:
        raise damaged(path, str(error)) from error
    if predictions.empty:
        raise damaged(path, f"it has no predictions under '{confounder}'")
    _check_whole(path, predictions.drop(columns="probe"))
    return predictions


def read_validation(path: Path) -> pd.DataFrame:
    """Return what a network says of the images that its fold validated on.

    Raises:
        SourceBenchError: the file is missing or damaged (named), or values are missing in it.
    """
    try:
        said = pd.read_parquet(path)
        needed = [name for name in PREDICTION_COLUMNS if name != "test_set"]
        needed += columns_of_logits(said.columns)
        if lacking := [name for name in needed if name not in said]:
            raise KeyError(f"it has no column {', '.join(lacking)}")
    except (OSError, ValueError, KeyError) as error:
        raise damaged(path, str(error)) from error
    _check_whole(path, said)
    return said


def _check_whole(path: Path, table: pd.DataFrame) -> None:
    if (holes := table.isna().any()).any():
        raise damaged(path, f"values are missing in {', '.join(table.columns[holes])}")


def damaged(path: Path, why: str) -> SourceBenchError:
    """Return the error for a run's file that cannot be read."""
    return SourceBenchError(
        f"{path} cannot be read ({why}); delete its folder and run the workflow again."
    )
