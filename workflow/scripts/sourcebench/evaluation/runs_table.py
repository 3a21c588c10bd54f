"""The table of all runs."""

import pandas as pd

from sourcebench.evaluation.aggregate import BOUNDS
from sourcebench.evaluation.costs import with_skill
from sourcebench.evaluation.delong import auroc_interval
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.metrics import columns_of_logits, margin


def runs_table(evidence: Evidence) -> pd.DataFrame:
    """Return the rows of runs.csv: every network and test set, with the AUROC's interval.

    Returns:
        The axes, `n`, every metric, `auroc_low, auroc_high` (95 %, over patients; of two classes
        alone), `best_epoch, epochs, seconds, n_train, n_val`, `skilled`.
    """
    bounds = [_interval(each) for each in evidence.predictions]
    place = list(evidence.runs.columns).index("auroc") + 1
    runs = evidence.runs.copy()
    for i, name in enumerate(BOUNDS):
        runs.insert(place + i, name, [each[i] for each in bounds])
    return with_skill(evidence, runs)


def _interval(predictions: pd.DataFrame) -> tuple[float, float]:
    logits = predictions[columns_of_logits(predictions.columns)].to_numpy()
    if logits.shape[1] > 2:
        return float("nan"), float("nan")
    score = margin(logits)
    patients, _ = pd.factorize(predictions["patient_id"])  # numbers compare faster than names
    _, low, high = auroc_interval(predictions["label"], score, patients)
    return low, high
