"""About how much the nodules of LIDC-IDRI are."""

from sourcebench.datasets.base import Dataset
from sourcebench.datasets.extents import EXTENTS, Extent
from sourcebench.datasets.lidc_nodules.dataset import LIDCNodules

NODULES = 2_650
"""Those that a reader drew, less the few that are larger than a square of 64 px."""


@EXTENTS.register("lidc_nodules")
def extent(dataset: Dataset) -> Extent:
    """Return how many images there are, some slices of each nodule."""
    slices = dataset.slices if isinstance(dataset, LIDCNodules) else 1
    return Extent(NODULES * slices)
