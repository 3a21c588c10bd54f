"""Procedural stand-ins for data that can't be shipped, in the original's own layout.

`MIRRORS` has one for each kind of dataset that can be mirrored.
"""

from sourcebench.phantoms import nih
from sourcebench.phantoms.mirror import MIRRORS

__all__ = ["MIRRORS", "nih"]
