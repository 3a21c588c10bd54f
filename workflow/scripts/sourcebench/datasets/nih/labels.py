"""What radiologists saw in images of NIH ChestX-ray14."""

from dataclasses import dataclass

import pandas as pd

from sourcebench.datasets.labels import LABELS, LabelSource, labelled
from sourcebench.datasets.nih import tables
from sourcebench.parameters import parameter


@LABELS.register("expert")
@dataclass(frozen=True)
class ExpertLabels(LabelSource):
    """What radiologists saw in NIH CXR14 (YES 1, NO 0), as far as they looked.

    Args:
        positive: one of their four findings.
        set: 'test' or 'val', to keep to their set of that name; None for both.
    """

    positive: str = parameter(
        help="the finding that they saw (YES, the positive class) or not (NO, the negative)",
        choices=tables.EXPERT_FINDINGS,
    )
    set: str | None = parameter(
        None, help="one of their sets alone; left out, both", choices=("test", "val")
    )

    def rows(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of the images that they looked at, labelled."""
        experts = tables.expert_labels()
        if self.set:
            experts = experts[experts["set"] == self.set]
        answers = experts.set_index("image_id")[self.positive]
        return labelled(table, table["image_id"].map(answers).map({"YES": 1.0, "NO": 0.0}))
