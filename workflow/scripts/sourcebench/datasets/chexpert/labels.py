"""What a labeller read out of CheXpert's reports."""

from collections.abc import Mapping
from typing import Any

import pandas as pd

from sourcebench.datasets.chexpert.tables import (
    ABSENT,
    FINDINGS,
    PRESENT,
    UNCERTAIN,
    observations,
)
from sourcebench.datasets.labels import STRING, label_source
from sourcebench.errors import SourceBenchError

UNCERTAIN_AS: dict[str, int | None] = {"zeros": ABSENT, "ones": PRESENT, "ignore": None}
"""Irvin et al., section 3.1: U-Zeros, U-Ones, U-Ignore."""


@label_source(
    "chexpert",
    {"positive": STRING, "uncertain": {"enum": list(UNCERTAIN_AS)}},
    ("positive",),
)
def chexpert_labels(table: pd.DataFrame, spec: Mapping[str, Any]) -> pd.DataFrame:
    """Label by one of CheXpert's 14 observations: present 1, absent or not mentioned 0.

    `spec`: `positive` names the observation; `uncertain` says what becomes of images where the
    report leaves it open: 'zeros' (U-Zeros, the default, as *Rethink Transfer Learning* has it,
    section 2.3), 'ones' (U-Ones) or 'ignore' (U-Ignore: they are left out). What a report does not
    mention counts as absent in all three.
    """
    finding, how = spec["positive"], spec.get("uncertain", "zeros")
    if finding not in FINDINGS:
        raise SourceBenchError(
            f"labels.positive is '{finding}', which is no observation of CheXpert; there are: "
            f"{', '.join(FINDINGS)}."
        )
    if how not in UNCERTAIN_AS:
        raise SourceBenchError(
            f"labels.uncertain is '{how}'; it must be one of: {', '.join(UNCERTAIN_AS)}."
        )
    known = observations()[finding]
    rows = known.index.get_indexer(pd.Index(table["image_id"]))
    if (unknown := rows < 0).any():
        raise SourceBenchError(
            f"Labels from 'chexpert' are for CheXpert's images alone; {unknown.sum()} are others "
            f"(such as {table['image_id'][unknown].iloc[0]}). Use labels from 'metadata'."
        )
    stated = known.iloc[rows].fillna(ABSENT).astype(int).set_axis(table.index)
    rule = UNCERTAIN_AS[how]
    if rule is None:
        table, stated = table[stated != UNCERTAIN], stated[stated != UNCERTAIN]
    else:
        stated = stated.replace(UNCERTAIN, rule)
    return table.assign(label=stated)
