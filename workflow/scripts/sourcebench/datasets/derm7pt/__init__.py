"""derm7pt, the seven-point checklist's dataset (Kawahara et al. 2019)."""

from sourcebench.datasets.derm7pt import dataset, mirror

__all__ = ["dataset", "mirror"]
