"""Attributes of a patient or an image, and where they stand in the MICCAT taxonomy.

A new one is a new file here: a class with `@ATTRIBUTES.register("its_name")` and
`@dataclass(frozen=True)`.
"""

from sourcebench.attributes.base import ATTRIBUTES, Attribute
from sourcebench.attributes.held_out import HELD_OUT, HeldOut
from sourcebench.registry import discover

__all__ = ["ATTRIBUTES", "HELD_OUT", "Attribute", "HeldOut"]

discover(__name__, __path__)
