"""The nodules of LIDC-IDRI, cut out of their slices, with what four readers said of each."""

from sourcebench.datasets.lidc_nodules import dataset, extent, labels, mirror

__all__ = ["dataset", "extent", "labels", "mirror"]
