"""MIMIC-CXR-JPG (Johnson et al. 2019)."""

from sourcebench.datasets.mimic import dataset, mirror

__all__ = ["dataset", "mirror"]
