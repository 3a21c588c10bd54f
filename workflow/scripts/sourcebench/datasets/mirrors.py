"""The registry of mirrors: phantoms that lie where a download would have put the images."""

import functools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TypeVar

import pandas as pd

from sourcebench.errors import SourceBenchError
from sourcebench.parallel import each
from sourcebench.registry import Registry

Mirror = Callable[[pd.DataFrame, Path, int], int]
MIRRORS: Registry[Mirror] = Registry("phantom mirror")
"""Kind of dataset → function of the wanted rows (a manifest's columns), the folder of images and a
number of processes, which writes the images that are not there yet and returns how many."""

Job = TypeVar("Job")


def write_missing(
    wanted: pd.DataFrame,
    columns: Sequence[str],
    folder: Path,
    plan: Callable[[pd.DataFrame], Sequence[Job]],
    write: Callable[[Path, Job], None],
    processes: int,
) -> Sequence[Job]:
    """Write the phantoms that a folder lacks.

    Args:
        wanted: rows of manifests.
        columns: those that drawing needs.
        folder: where the files go; made if missing.
        plan: takes `columns` of the wanted rows, each image once, and returns what is to be
            written; what is there is left alone, so that running again after an interruption
            draws only what is missing.
        write: writes one of these into the folder, each file whole or not at all; a function that
            can be pickled.
        processes: how many to use.

    Returns:
        What was written.

    Raises:
        SourceBenchError: a column is missing; or as `plan` and `write`.
    """
    if missing := [column for column in columns if column not in wanted.columns]:
        raise SourceBenchError(
            f"The table of phantoms lacks the column(s) {', '.join(missing)}; "
            f"it needs {', '.join(columns)}."
        )
    folder.mkdir(parents=True, exist_ok=True)
    jobs = plan(wanted.drop_duplicates("image_id").loc[:, list(columns)])
    for _ in each(functools.partial(write, folder), jobs, processes):
        pass
    return jobs
