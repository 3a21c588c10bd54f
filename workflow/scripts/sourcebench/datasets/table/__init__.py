"""Anybody's images, and a table that says what they are."""

from sourcebench.datasets.table import extent
from sourcebench.datasets.table.dataset import TableDataset

__all__ = ["TableDataset", "extent"]
