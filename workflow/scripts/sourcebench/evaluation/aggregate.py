"""One tidy table of all runs: one row per run, confounder and test set."""

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet

from sourcebench.axes import AXES, FURTHER, USUAL
from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.metrics import METRICS, OF_SEVERAL, columns_of_logits, score
from sourcebench.files import read_json

EFFORT_DTYPES = {"best_epoch": "int64", "epochs": "int64", "seconds": "float64"}
AXIS_DTYPES = {**{axis.name: axis.dtype for axis in AXES}, "test_set": "str"}
PREDICTION_COLUMNS = ["confounder", "test_set", "label"]  # and the logits


def measured() -> list[str]:
    """Return the columns of runs.csv that hold results; all others are axes of the experiment.

    Those of metrics in `OF_SEVERAL` are there if a task has more than two classes.
    """
    return ["n", *METRICS.names(), *EFFORT_DTYPES]


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


def collect(run_folders: Sequence[Path], further: Collection[str] = ()) -> pd.DataFrame:
    """Read all runs and score them.

    Args:
        run_folders: folders with a run's `predictions.parquet` and `run.json`.
        further: names of the axes that this study has beyond those of every study.

    Returns:
        The rows of runs.csv, sorted by their axes (`columns`, of each axis' dtype), `n` (images,
        int64), every registered metric (float64; those for several classes if a run has several),
        `best_epoch`, `epochs` (int64) and `seconds` (float64).

    Raises:
        SourceBenchError: a file is missing or damaged (named), two folders hold the same run, or
            there is none at all.
    """
    if not run_folders:
        raise SourceBenchError("There are no runs to collect: the experiment's table is empty.")
    order = columns(further)
    rows = [row for folder in run_folders for row in _rows(Path(folder), order)]
    dtypes = {"n": "int64", **{name: AXIS_DTYPES[name] for name in order}, **EFFORT_DTYPES}
    found = pd.DataFrame(rows)
    results = [name for name in measured() if name in found]
    runs = found[[*order, *results, "folder"]].astype(dtypes)
    runs = runs.astype({name: "float64" for name in METRICS.names() if name in found})
    if (twice := runs.duplicated(order, keep=False)).any():
        folders = " and ".join(map(str, runs.loc[twice, "folder"].unique()[:2]))
        raise SourceBenchError(f"The same run is in {folders}; delete one of the two.")
    return runs.drop(columns="folder").sort_values(order, ignore_index=True)


def read_runs(path: str | Path) -> pd.DataFrame:
    """Read runs.csv with the dtypes that `collect` gave it, whatever the names ("NA", "007").

    Raises:
        SourceBenchError: there is no such file, or it is not a table of runs.
    """
    try:
        there = set(pd.read_csv(path, nrows=0).columns)
        metrics = [name for name in METRICS.names() if name in there or name not in OF_SEVERAL]
        return pd.read_csv(
            path,
            dtype={name: AXIS_DTYPES[name] for name in there & set(AXIS_DTYPES)},
            keep_default_na=False,
            na_values={name: ["", "nan"] for name in measured()},
        ).astype({"p_art": "float64", **dict.fromkeys(metrics, "float64")})
    except (OSError, ValueError, KeyError) as error:
        raise SourceBenchError(
            f"{path} is not a table of runs ({error}); delete it and run the workflow again."
        ) from error


def _rows(folder: Path, order: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Yield the rows of one run: one per confounder that it was tested on, and test set."""
    place = [name for name in order if name not in ("confounder", "test_set")]
    record = _read_record(folder / "run.json", [*place, *EFFORT_DTYPES])
    path = folder / "predictions.parquet"
    for (confounder, test_set), group in _read_predictions(path).groupby(
        ["confounder", "test_set"], observed=True
    ):
        try:
            scores = score(group)
        except SourceBenchError as error:
            raise SourceBenchError(f"{path}, {confounder}, {test_set}: {error}") from error
        where = {"confounder": confounder, "test_set": test_set, "n": len(group)}
        yield {**record, **where, **scores, "folder": folder}


def _read_record(path: Path, keys: Sequence[str]) -> dict[str, Any]:
    """Return the wanted keys of a run.json, numbers as numbers."""
    number = {"float64": float, "int64": int, "str": str}
    dtypes = AXIS_DTYPES | EFFORT_DTYPES
    try:
        content = read_json(path)
        return {key: number[dtypes[key]](content[key]) for key in keys}
    except KeyError as error:
        raise _damaged(path, f"it lacks {error}") from error
    except (OSError, ValueError, TypeError) as error:
        raise _damaged(path, str(error)) from error


def _read_predictions(path: Path) -> pd.DataFrame:
    """Return a run's predictions, with names for every row."""
    try:
        logits = columns_of_logits(pyarrow.parquet.read_schema(path).names)
        predictions = pd.read_parquet(path, columns=[*PREDICTION_COLUMNS, *logits])
    except (OSError, ValueError, KeyError) as error:
        raise _damaged(path, str(error)) from error
    if predictions.empty:
        raise _damaged(path, "it has no rows")
    if (holes := predictions.isna().any()).any():
        raise _damaged(path, f"values are missing in {', '.join(predictions.columns[holes])}")
    return predictions


def _damaged(path: Path, why: str) -> SourceBenchError:
    """Return the error for a run's file that cannot be read."""
    return SourceBenchError(
        f"{path} cannot be read ({why}); delete its folder and run the workflow again."
    )
