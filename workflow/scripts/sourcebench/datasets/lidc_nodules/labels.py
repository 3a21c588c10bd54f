"""Whether LIDC-IDRI's readers held a nodule to be malignant."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from sourcebench.datasets.labels import LABELS, LabelSource, labelled
from sourcebench.errors import SourceBenchError
from sourcebench.parameters import parameter


def _mean(table: pd.DataFrame, above: float) -> pd.Series:
    return (table["malignancy_mean"] > above).astype(float)


def _majority(table: pd.DataFrame, _: float) -> pd.Series:
    return table["malignancy"].map({"malignant": 1.0, "benign": 0.0})


RULES: Mapping[str, Callable[[pd.DataFrame, float], pd.Series]] = {
    "mean": _mean,
    "majority": _majority,
}


@LABELS.register("malignancy")
@dataclass(frozen=True)
class MalignancyLabels(LabelSource):
    """Whether the readers held a nodule of LIDC's to be malignant (1) or benign (0).

    They answered from 1, highly unlikely, to 5, highly suspicious. *Understanding Silent Failures*
    (Bungert et al. 2023) has malignant where the mean is over 2; its published code goes by where
    most readers are, at 4 and 5 or below.

    Args:
        rule: 'mean', or 'majority', which leaves out nodules with as many readers on either side.
        above: what the mean has to exceed; nothing to the majority.
        readers: a nodule counts when at least that many of the four marked it.
    """

    rule: str = parameter(
        "mean",
        help="whether the mean of the readers' answers decides, or most readers (4 and 5 against 1 "
        "to 3; with as many on either side a nodule is left out)",
        choices=tuple(RULES),
    )
    above: float = parameter(
        2,
        help="with rule `mean`: what the mean of answers from 1 to 5 has to exceed",
        low=1,
        high=5,
    )
    readers: int = parameter(
        1, help="how many of the four readers must have marked a nodule", low=1, high=4
    )

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of the nodules, labelled.

        Raises:
            SourceBenchError: the images are no nodules of LIDC's.
        """
        if missing := {"malignancy", "malignancy_mean", "readers"}.difference(table.columns):
            raise SourceBenchError(
                "Labels from 'malignancy' are for datasets of kind 'lidc_nodules'; this one's "
                f"metadata lacks {', '.join(sorted(missing))}. Use other labels."
            )
        label = RULES[self.rule](table, self.above)
        return labelled(table, label.where(table["readers"] >= self.readers))
