"""Formats of image files, one file each: read, and proved whole as far as the format lets one.

`read_image` finds the format by the content. A new one is a new file here: a class with
`@FORMATS.register("its_name")`. What several of them do alike is in `whole`, `pixels` and `pillow`.
"""

from sourcebench.registry import discover
from sourcebench.retrieval.formats.base import FORMATS, Format, Window
from sourcebench.retrieval.formats.reading import REMARKS, read_image, slices_in, suffixes

__all__ = ["FORMATS", "REMARKS", "SUFFIXES", "Format", "Window", "read_image", "slices_in"]

discover(__name__, __path__)

SUFFIXES = suffixes()
"""Of the names of image files in every format, in small letters."""
