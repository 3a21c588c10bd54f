"""ISIC 2020 (Rotemberg et al. 2021)."""

from sourcebench.datasets.isic2020 import dataset, extent, mirror

__all__ = ["dataset", "extent", "mirror"]
