"""NIH ChestX-ray14 (Wang et al. 2017)."""

from sourcebench.datasets.nih import dataset, extent, labels, mirror

__all__ = ["dataset", "extent", "labels", "mirror"]
