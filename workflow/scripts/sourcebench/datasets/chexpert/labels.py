"""What a labeller read out of CheXpert's reports."""

from dataclasses import dataclass

import pandas as pd

from sourcebench.datasets.chexpert.tables import (
    ABSENT,
    FINDINGS,
    PRESENT,
    UNCERTAIN,
    observations,
)
from sourcebench.datasets.labels import LABELS, LabelSource
from sourcebench.errors import SourceBenchError
from sourcebench.parameters import parameter

UNCERTAIN_AS: dict[str, int | None] = {"zeros": ABSENT, "ones": PRESENT, "ignore": None}
"""Irvin et al., section 3.1: U-Zeros, U-Ones, U-Ignore."""


@LABELS.register("chexpert")
@dataclass(frozen=True)
class CheXpertLabels(LabelSource):
    """One of CheXpert's 14 observations: present 1, absent or not mentioned 0.

    What a report does not mention counts as absent whatever `uncertain` says.

    Args:
        positive: the observation.
        uncertain: what becomes of images where the report leaves it open: 'zeros' (U-Zeros, the
            default, as *Rethink Transfer Learning* has it, section 2.3), 'ones' (U-Ones) or
            'ignore' (U-Ignore: they are left out).
    """

    positive: str = parameter(
        help="the observation that makes the positive class", choices=FINDINGS
    )
    uncertain: str = parameter(
        "zeros",
        help="what becomes of images where the report leaves it open",
        choices=tuple(UNCERTAIN_AS),
    )

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of CheXpert's images, labelled.

        Raises:
            SourceBenchError: there are other images.
        """
        known = observations()[self.positive]
        rows = known.index.get_indexer(pd.Index(table["image_id"]))
        if (unknown := rows < 0).any():
            raise SourceBenchError(
                f"Labels from 'chexpert' are for CheXpert's images alone; {unknown.sum()} are "
                f"others (such as {table['image_id'][unknown].iloc[0]}). Use labels from "
                "'metadata'."
            )
        stated = known.iloc[rows].fillna(ABSENT).astype(int).set_axis(table.index)
        rule = UNCERTAIN_AS[self.uncertain]
        if rule is None:
            table, stated = table[stated != UNCERTAIN], stated[stated != UNCERTAIN]
        else:
            stated = stated.replace(UNCERTAIN, rule)
        return table.assign(label=stated)
