"""What radiologists saw in images of NIH ChestX-ray14."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sourcebench.datasets.labels import STRING, label_source, labelled
from sourcebench.datasets.nih import tables
from sourcebench.errors import SourceBenchError


@label_source("expert", {"positive": STRING, "set": {"enum": ["test", "val"]}}, ("positive",))
def expert_labels(table: pd.DataFrame, spec: Mapping[str, Any]) -> pd.DataFrame:
    """Label by what radiologists saw in NIH CXR14 (YES 1, NO 0), as far as they looked.

    `spec`: `positive` names one of their four findings; `set` keeps their test or val set.
    """
    experts = tables.expert_labels()
    if spec["positive"] not in tables.EXPERT_FINDINGS:
        raise SourceBenchError(
            f"labels.positive is '{spec['positive']}', which the experts did not label; "
            f"they labelled: {', '.join(tables.EXPERT_FINDINGS)}."
        )
    if spec.get("set"):
        experts = experts[experts["set"] == spec["set"]]
    answers = experts.set_index("image_id")[spec["positive"]]
    return labelled(table, table["image_id"].map(answers).map({"YES": 1.0, "NO": 0.0}))
