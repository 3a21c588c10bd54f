"""How well networks do on groups of the test images, such as those of women or of one clinic."""

from typing import Any

import numpy as np
import pandas as pd

from sourcebench.errors import SourceBenchError
from sourcebench.evaluation.aggregate import BOUNDS, axes
from sourcebench.evaluation.costs import with_skill
from sourcebench.evaluation.delong import auroc_interval
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.metrics import METRICS, columns_of_logits, margin

MEASURED = ("auroc", "accuracy", "balanced_accuracy", "recall", "specificity", "brier")
FEWEST = 10
"""A group of fewer images is counted, and nothing is said of it."""
COLUMNS = ("column", "group", "n", "patients")


def subgroups(evidence: Evidence) -> pd.DataFrame:
    """Return every network's scores on every group of every test set.

    Returns:
        One row per run, test set, column and group ("" where it is not known): the axes, `column,
        group, n, patients`, of the metrics `MEASURED` those that the runs have, `auroc_low,
        auroc_high` (95 %, over the group's patients; of two classes alone), `skilled`. Scores of a
        group of fewer than `FEWEST` images, or that lacks a class, are missing. No rows without
        groups.

    Raises:
        SourceBenchError: an image of a test set is in no group, as when the samples changed.
    """
    names = [name for name in MEASURED if name in evidence.metrics]
    order = [*axes(evidence.runs), *COLUMNS, *names, *BOUNDS]
    rows: list[dict[str, Any]] = []
    if evidence.groups is not None:
        for place, predictions in zip(_places(evidence), evidence.predictions, strict=True):
            rows += [place | found for found in _of_run(predictions, evidence.groups, names)]
    table = pd.DataFrame(rows, columns=order)
    return with_skill(evidence, table.astype(evidence.runs.dtypes[axes(evidence.runs)].to_dict()))


def _places(evidence: Evidence) -> list[dict[str, Any]]:
    runs = evidence.runs[axes(evidence.runs)]
    names = list(map(str, runs))
    return [dict(zip(names, row, strict=True)) for row in runs.to_numpy(object)]


def _of_run(
    predictions: pd.DataFrame, groups: pd.DataFrame, names: list[str]
) -> list[dict[str, Any]]:
    """Return the scores of one network on the groups of one test set."""
    where = groups.index.get_indexer(pd.Index(predictions["image_id"]))
    if (where < 0).any():
        raise SourceBenchError(
            f"{(where < 0).sum()} test images are not among the task's samples (such as "
            f"{predictions['image_id'].to_numpy()[where < 0][0]}); run the workflow again."
        )
    labels = predictions["label"].to_numpy(np.int64)
    logits = predictions[columns_of_logits(predictions.columns)].to_numpy(np.float64)
    patients, _ = pd.factorize(predictions["patient_id"])
    rows = []
    for column in groups:
        values = groups[column].to_numpy()[where]
        for value in sorted(set(values)):
            of = values == value
            row = {"column": column, "group": value, "n": int(of.sum())}
            row["patients"] = len(np.unique(patients[of]))
            rows.append(row | _scores(labels[of], logits[of], patients[of], names))
    return rows


def _scores(
    labels: np.ndarray[Any, np.dtype[np.int64]],
    logits: np.ndarray[Any, np.dtype[np.float64]],
    patients: np.ndarray[Any, np.dtype[np.intp]],
    names: list[str],
) -> dict[str, float]:
    classes = logits.shape[1]
    if len(labels) < FEWEST or len(np.unique(labels)) < classes:
        return {}
    found = {name: METRICS.get(name)(labels, logits) for name in names}
    if classes == 2:
        bounds = auroc_interval(labels, margin(logits), patients)[1:]
        found |= dict(zip(BOUNDS, bounds, strict=True))
    return found
