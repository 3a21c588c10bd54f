"""NIH ChestX-ray14 (Wang et al. 2017)."""

from sourcebench.datasets.nih import dataset, labels, mirror

__all__ = ["dataset", "labels", "mirror"]
