"""About how much CheXpert is."""

from sourcebench.datasets.base import Dataset
from sourcebench.datasets.extents import EXTENTS, Extent


@EXTENTS.register("chexpert")
def extent(dataset: Dataset) -> Extent:
    """Return how many radiographs the table has (Irvin et al. 2019)."""
    return Extent(223_414)
