"""About how much LIDC-IDRI is."""

from sourcebench.datasets.base import Dataset
from sourcebench.datasets.extents import EXTENTS, Extent


@EXTENTS.register("lidc_idri")
def extent(dataset: Dataset) -> Extent:
    """Return how many slices the scans have (Armato et al. 2011)."""
    return Extent(243_945)
