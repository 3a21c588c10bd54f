"""About how much ChestX-ray14 is."""

from sourcebench.datasets.base import Dataset
from sourcebench.datasets.extents import EXTENTS, Extent


@EXTENTS.register("nih_cxr14")
def extent(dataset: Dataset) -> Extent:
    """Return how many radiographs there are (Wang et al. 2017)."""
    return Extent(112_120)
