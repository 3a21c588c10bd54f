"""Procedural stand-ins for data that can't be shipped, in the original's own layout.

`MIRRORS` has one for each kind of dataset that can be mirrored; a new one is a new file here.
"""

from sourcebench.phantoms.mirror import MIRRORS
from sourcebench.registry import discover

__all__ = ["MIRRORS"]

discover(__name__, __path__)
