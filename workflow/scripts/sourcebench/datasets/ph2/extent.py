"""About how much PH2 is."""

from sourcebench.datasets.base import Dataset
from sourcebench.datasets.extents import EXTENTS, Extent


@EXTENTS.register("ph2")
def extent(dataset: Dataset) -> Extent:
    """Return how many images there are, all in colour (Mendonça et al. 2013)."""
    return Extent(200, channels=3)
