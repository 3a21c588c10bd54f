"""CheXpert (Irvin et al. 2019)."""

from sourcebench.datasets.chexpert import dataset, extent, labels, mirror

__all__ = ["dataset", "extent", "labels", "mirror"]
