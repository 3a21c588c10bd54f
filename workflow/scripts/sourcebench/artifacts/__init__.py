"""Confounders: what is planted in one class, and where it stands in the MICCAT taxonomy.

A new one is a new file here: a class with `@register("its_name")` and `@dataclass(frozen=True)`.
"""

from sourcebench.confounders.apply import write_layer
from sourcebench.confounders.base import (
    REGISTRY,
    Confounder,
    PixelConfounder,
    SamplingConfounder,
    Taxon,
    build,
    from_entry,
)
from sourcebench.confounders.drawing import Layer, fingerprint
from sourcebench.registry import discover

__all__ = [
    "REGISTRY",
    "Confounder",
    "Layer",
    "PixelConfounder",
    "SamplingConfounder",
    "Taxon",
    "build",
    "fingerprint",
    "from_entry",
    "write_layer",
]

discover(__name__, __path__)
