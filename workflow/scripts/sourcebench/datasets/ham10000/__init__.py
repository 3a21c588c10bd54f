"""HAM10000 (Tschandl et al. 2018)."""

from sourcebench.datasets.ham10000 import dataset, extent, mirror

__all__ = ["dataset", "extent", "mirror"]
