"""MIMIC-CXR-JPG (Johnson et al. 2019)."""

from sourcebench.datasets.mimic import dataset, extent, mirror

__all__ = ["dataset", "extent", "mirror"]
