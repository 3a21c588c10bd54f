"""The table of confidence scores: how well each tells the failures of each network."""

from typing import Any

import numpy as np
import pandas as pd

from sourcebench.evaluation.aggregate import axes
from sourcebench.evaluation.answered import Answered, answered
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.failures import FAILURE_METRICS, OF_PROBABILITIES, Answers
from sourcebench.evaluation.failures.intervals import intervals
from sourcebench.evaluation.failures.threshold import Outcomes, outcomes
from sourcebench.evaluation.intervals import Interval
from sourcebench.evaluation.replicates import AGAIN

SAID = {"shift": "str", "family": "str", "severity": "int64", "score": "str"}
COUNTS = dict.fromkeys(("members", "n", "failures"), "int64")
TOGETHER = 0
"""The fold and the repeat of a row that is of a cell's networks together."""


def confidence(evidence: Evidence) -> pd.DataFrame:
    """Return how well each score tells the failures of each network, on every test set.

    Returns:
        One row per run, test set and score: the axes, `shift, family, severity, score, members`
        (networks), `n, failures`, each of `FAILURE_METRICS` with `…_low` and `…_high` (95 %, over
        patients), `threshold` (see `Answered`), `coverage` and the four `Outcomes` there, NaN
        without a threshold. A score of a cell's networks together has one row for the cell, whose
        `fold` and `repeat` are 0. No rows where no scores are asked for.

    Raises:
        SourceBenchError: a score can't be made, see `answered`, or a test set is not the task's.
    """
    names = axes(evidence.runs)
    places = evidence.runs[names].to_numpy(object)
    rows, metrics = [], _Metrics(evidence)
    for each in answered(evidence):
        row = dict(zip(names, places[each.row], strict=True))
        said = evidence.asked.shifted(row["test_set"])._asdict()
        if each.of_cell:
            row |= {name: TOGETHER for name in AGAIN if name in row}
        rows.append(row | said | _of(each, evidence.asked.coverage) | metrics.of(each))
    measured = [f"{name}{end}" for name in FAILURE_METRICS for end in ("", "_low", "_high")]
    numbers = [*measured, "threshold", "coverage", *Outcomes._fields]
    dtypes = {**evidence.runs.dtypes[names], **SAID, **COUNTS, **dict.fromkeys(numbers, "float64")}
    return pd.DataFrame(rows, columns=list(dtypes)).astype(dtypes)


def _of(each: Answered, share: float) -> dict[str, Any]:
    limit, failures = each.threshold(share), each.answers.failures
    found = outcomes(each.answers, limit)
    counts = {"members": each.members, "n": len(failures), "failures": int(failures.sum())}
    where = {"threshold": limit, "coverage": found.coverage}
    return {"score": each.score, **counts, **where, **found._asdict()}


class _Metrics:
    """The metrics of answers, made once for those that are ranked alike.

    Most hang on the order of the confidences alone: of two classes the maximum of the softmax and
    its entropy have the same.

    Args:
        evidence: that the answers are of.
    """

    def __init__(self, evidence: Evidence) -> None:
        self._evidence, self._row = evidence, -1
        self._ids = np.empty(0, str)
        self._known: dict[tuple[bytes, bytes], dict[str, Interval]] = {}
        self._by_order = [name for name in FAILURE_METRICS if name not in OF_PROBABILITIES]

    def of(self, each: Answered) -> dict[str, float]:
        """Return each metric, and the bounds of its interval."""
        if each.row != self._row:
            self._row = each.row
            self._ids = self._evidence.predictions[each.row]["patient_id"].to_numpy(str)
            self._known.clear()
        answers, ids, patients = each.answers, self._ids, self._evidence.patients
        key = _order(answers)
        if key not in self._known:
            self._known[key] = intervals(answers, ids, patients, metrics=self._by_order)
        found = dict.fromkeys(OF_PROBABILITIES, Interval(np.nan, np.nan, np.nan))
        if answers.probability:
            found = intervals(answers, ids, patients, metrics=OF_PROBABILITIES)
        numbers: dict[str, float] = {}
        for name, (value, low, high) in {**self._known[key], **found}.items():
            numbers |= {name: value, f"{name}_low": low, f"{name}_high": high}
        return numbers


def _order(answers: Answers) -> tuple[bytes, bytes]:
    """Return what two rankings of the same answers share where they are the same, ties and all."""
    ranks = np.unique(answers.confidences, return_inverse=True)[1]
    return ranks.tobytes(), answers.failures.tobytes()
