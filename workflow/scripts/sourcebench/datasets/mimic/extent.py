"""About how much MIMIC-CXR-JPG is."""

from sourcebench.datasets.base import Dataset
from sourcebench.datasets.extents import EXTENTS, Extent
from sourcebench.datasets.mimic.invented import SUBJECTS


@EXTENTS.register("mimic_cxr")
def extent(dataset: Dataset) -> Extent:
    """Return how many radiographs there are (Johnson et al. 2019); of phantoms 3 a patient."""
    return Extent(3 * SUBJECTS if dataset.origin == "phantoms" else 377_110)
