"""ISIC 2020 (Rotemberg et al. 2021)."""

from sourcebench.datasets.isic2020 import dataset, mirror

__all__ = ["dataset", "mirror"]
