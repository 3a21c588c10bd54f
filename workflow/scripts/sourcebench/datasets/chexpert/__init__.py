"""CheXpert (Irvin et al. 2019)."""

from sourcebench.datasets.chexpert import dataset, labels, mirror

__all__ = ["dataset", "labels", "mirror"]
