"""Cells under a fluorescence microscope, in six stains.

What a cell type looks like and what an siRNA does to it is in `looks`, what day and plate do to an
image in `batches`, where the cells of a field lie in `fields`, how each stain shows them in
`stains`.
"""

from sourcebench.phantoms.cells.microscope import render
from sourcebench.phantoms.cells.stains import STAINS

__all__ = ["STAINS", "render"]
