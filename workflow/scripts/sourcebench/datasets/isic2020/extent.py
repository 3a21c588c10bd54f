"""About how much ISIC 2020 is."""

from sourcebench.datasets.base import Dataset
from sourcebench.datasets.extents import EXTENTS, Extent


@EXTENTS.register("isic2020")
def extent(dataset: Dataset) -> Extent:
    """Return how many images there are, all in colour (Rotemberg et al. 2021)."""
    return Extent(33_126, channels=3)
