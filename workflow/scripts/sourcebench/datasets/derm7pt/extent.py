"""About how much derm7pt is."""

from sourcebench.datasets.base import Dataset
from sourcebench.datasets.extents import EXTENTS, Extent


@EXTENTS.register("derm7pt")
def extent(dataset: Dataset) -> Extent:
    """Return how many dermoscopic images there are (Kawahara et al. 2019)."""
    return Extent(1_011, channels=3)
