"""RxRx1 (Sypetkowski et al. 2023)."""

from sourcebench.datasets.rxrx1 import dataset, extent, mirror

__all__ = ["dataset", "extent", "mirror"]
