"""About how much HAM10000 is."""

from sourcebench.datasets.base import Dataset
from sourcebench.datasets.extents import EXTENTS, Extent


@EXTENTS.register("ham10000")
def extent(dataset: Dataset) -> Extent:
    """Return how many images there are, all in colour (Tschandl et al. 2018)."""
    return Extent(10_015, channels=3)
