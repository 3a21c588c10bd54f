"""The distance to the nearest training images."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sourcebench.training.measures.base import (
    MEASURES,
    Columns,
    Instrument,
    Measure,
    Subject,
    wide,
)

if TYPE_CHECKING:
    from torch import Tensor

NEIGHBOURS = 50
"""k, as Sun et al. choose it for datasets of tens of thousands; all, where there are fewer."""


class Neighbours(Measure):
    """Minus the distance to the k-th nearest training image (Sun et al., ICML 2022, section 3).

    Features are divided by their Euclidean norm, so that it lies in [−2, 0].
    """

    columns = ("neighbours",)

    def of(self, subject: Subject) -> Instrument:
        """Return what measures it among the images that the network was trained on."""
        import torch
        from torch.nn import functional

        bank = functional.normalize(wide(subject.learned().features))
        nearest = min(NEIGHBOURS, len(bank))

        def measured(features: Tensor, _: Tensor) -> Columns:
            distances = torch.cdist(functional.normalize(wide(features)), bank)
            return {"neighbours": -distances.kthvalue(nearest, dim=1).values}

        return measured


MEASURES.register("neighbours")(Neighbours())
