"""Several datasets as one."""

from sourcebench.datasets.pool import dataset

__all__ = ["dataset"]
