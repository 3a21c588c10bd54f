"""RxRx1 (Sypetkowski et al. 2023)."""

from sourcebench.datasets.rxrx1 import dataset, mirror

__all__ = ["dataset", "mirror"]
