"""Three questions to a network that come apart: is the artifact encoded, used, paid for?

*Encoded*: can a line tell it from the features that the classifier gets? *Used*: does the answer
change with it? *Paid*: what does that cost where it misleads? A network may encode what it does
not use, and use what costs it nothing.
"""

import numpy as np
import pandas as pd

from sourcebench.evaluation.cells import cells
from sourcebench.evaluation.costs import DROPS, described, drops, estimate_of, with_skill
from sourcebench.evaluation.counterfactual import ALL, MEASURES, effects
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.replicates import cell

QUESTIONS = {"encoded": "probe", "used": "probability"}
"""What each question asks of the `MEASURES`, over all classes."""


def encoded_used_paid(evidence: Evidence) -> pd.DataFrame:
    """Return the three answers of every cell.

    Returns:
        One row per task, confounder, source, arch, p_art and further axes: `folds, repeats`;
        `encoded` (AUROC of a linear probe on the features, within each class), `used` (mean change
        of the confounded class' probability), `paid` (o.o.d. AUROC lost since p_art = 0; empty
        there), each with the bounds of its 95 % confidence interval; `contrast`, `skilled`. Empty
        without a confounder.
    """
    found = effects(evidence)
    if found is None:
        places = [name for name in cell(evidence.runs) if name != "test_set"]
        numbers = [f"{name}{end}" for name in (*QUESTIONS, "paid") for end in ("", "_low", "_high")]
        columns = [*places, "folds", "repeats", *numbers, "contrast", "skilled"]
        return pd.DataFrame(columns=columns)
    keys = cell(found.networks)
    parts = []
    for question, measure in QUESTIONS.items():
        value, draws = found.values[measure][ALL], found.draws[measure][ALL]
        there = cells(found.networks, keys, value, draws.astype(np.float32))
        told = estimate_of(evidence, there)
        rows = described(there, told, question, MEASURES[measure], test=False)
        parts.append(rows.rename(columns={"low": f"{question}_low", "high": f"{question}_high"}))
    lost = drops(evidence)
    cost = estimate_of(evidence, lost).cautious(DROPS, lost.still)
    paid = described(lost, cost, "paid", DROPS, test=False)
    parts.append(paid.rename(columns={"low": "paid_low", "high": "paid_high"}))
    table = parts[1][[*keys, "folds", "repeats"]]  # what is used is asked of every network
    for part in parts:
        table = table.merge(part.drop(columns=["folds", "repeats"]), how="left", on=keys)
    return with_skill(evidence, table.assign(contrast=found.contrast))
