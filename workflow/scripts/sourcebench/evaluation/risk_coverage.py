"""The table of risk–coverage curves, to be drawn."""

import numpy as np
import pandas as pd

from sourcebench.evaluation.aggregate import axes
from sourcebench.evaluation.answered import answered
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.failures.curve import risk_coverage as curve
from sourcebench.evaluation.replicates import AGAIN
from sourcebench.evaluation.resampling import Floats

STEPS = 50
GRID = np.arange(1, STEPS + 1) / STEPS
"""The coverages at which curves are read: 0.02, 0.04, …, 1."""


def risk_coverage(evidence: Evidence) -> pd.DataFrame:
    """Return the mean risk–coverage curve of each cell, test set and score.

    A network's curve is straight between the thresholds that there are, as its area is made, and
    level below the first. At each coverage the mean is over folds and repeats.

    Returns:
        One row per cell, test set, score and coverage: the axes but fold and repeat, `shift, score,
        coverage, risk`. No rows where no scores are asked for.

    Raises:
        SourceBenchError: a score can't be made, see `answered`, or a test set is not the task's.
    """
    names = [name for name in axes(evidence.runs) if name not in AGAIN]
    places = evidence.runs[names].to_numpy(object)
    sums: dict[tuple[object, ...], Floats] = {}
    counts: dict[tuple[object, ...], int] = {}
    for each in answered(evidence, held=False):
        drawn = curve(each.answers)
        key = *places[each.row], each.score
        risk = np.interp(GRID, drawn.coverage[::-1], drawn.risk[::-1])
        sums[key] = sums.get(key, np.zeros(STEPS)) + risk
        counts[key] = counts.get(key, 0) + 1
    parts = []
    for key, total in sums.items():
        place = dict(zip([*names, "score"], key, strict=True))
        shift = evidence.asked.shifted(str(place["test_set"])).shift
        numbers = {"shift": shift, "coverage": GRID, "risk": total / counts[key]}
        parts.append(pd.DataFrame({**place, **numbers}))
    dtypes = {**evidence.runs.dtypes[names], "shift": "str", "score": "str"}
    dtypes |= {"coverage": "float64", "risk": "float64"}
    table = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=list(dtypes))
    return table[list(dtypes)].astype(dtypes)
