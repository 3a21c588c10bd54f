"""The findings of NIH CXR14, and two more of CheXpert, one function each.

A new one is a new function in a file of this folder.
"""

from sourcebench.phantoms.radiograph.findings.registry import FINDINGS, Place
from sourcebench.registry import discover

discover(__name__, __path__)

__all__ = ["FINDINGS", "Place"]
