"""PH2 (Mendonça et al. 2013)."""

from sourcebench.datasets.ph2 import dataset, extent, mirror

__all__ = ["dataset", "extent", "mirror"]
