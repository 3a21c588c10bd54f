"""derm7pt, the seven-point checklist's dataset (Kawahara et al. 2019)."""

from sourcebench.datasets.derm7pt import dataset, extent, mirror

__all__ = ["dataset", "extent", "mirror"]
