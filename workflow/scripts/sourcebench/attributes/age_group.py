"""Age group: of the patient, young or old."""

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pandas as pd

from sourcebench.attributes.base import ATTRIBUTES, Attribute
from sourcebench.errors import SourceBenchError
from sourcebench.parameters import parameter
from sourcebench.traits import Taxon

YOUNG, OLD = "young", "old"


@ATTRIBUTES.register("age_group")
@dataclass(frozen=True)
class AgeGroup(Attribute):
    """Patient age goes with the label: those over one age, against those under another.

    A demographic attribute in MICCAT. Who is between the two ages is in neither group, so that the
    groups are apart.

    Args:
        column: of the ages, in years.
        carrier: 'old' or 'young'.
        other: the other one.
        young: who is under this age is young.
        old: who has this age or is over it is old.

    Raises:
        SourceBenchError: an age below which one is young and from which one is old.
    """

    title = "Age group"
    taxon = Taxon("patient", "demographic")
    derived: ClassVar[str] = "age_group"

    column: str = parameter("age", help="column of the samples that has the ages, in years")
    carrier: str = parameter(OLD, help="the group of the confounded images", choices=(OLD, YOUNG))
    other: str = parameter(YOUNG, help="the group of all other images", choices=(OLD, YOUNG))
    young: float = parameter(40, unit="years", help="who is under it is young", low=0, high=150)
    old: float = parameter(60, unit="years", help="who has it, or is over it, is old", low=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.young > self.old:
            raise SourceBenchError(
                f"Attribute '{self.kind}': who is under {self.young:g} is young and who is "
                f"{self.old:g} is old, so that some are both; young must not be over old."
            )

    def values(self, column: pd.Series) -> pd.Series:
        """Return the groups of ages in years: 'young', 'old', or missing for all others.

        Raises:
            SourceBenchError: an age is no number.
        """
        years = pd.to_numeric(column, errors="coerce")
        if (wrong := years.isna() & column.notna()).any():
            raise SourceBenchError(
                f"the column '{self.column}' has '{column[wrong].iloc[0]}' in {wrong.sum()} rows, "
                f"but '{self.kind}' needs ages in years; write numbers, or nothing."
            )
        groups = np.select([years < self.young, years >= self.old], [YOUNG, OLD], "")
        return pd.Series(groups, column.index, dtype="str").replace("", np.nan)
