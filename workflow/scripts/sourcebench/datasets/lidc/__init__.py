"""LIDC-IDRI (Armato et al. 2011): 1,018 chest CT scans, the nodules drawn by four readers."""

from sourcebench.datasets.lidc import dataset, extent, labels, mirror

__all__ = ["dataset", "extent", "labels", "mirror"]
