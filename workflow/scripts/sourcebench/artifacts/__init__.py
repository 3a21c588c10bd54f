"""Artifacts: how an image is changed, and where that stands in the MICCAT taxonomy.

A new one is a new file here: a class with `@ARTIFACTS.register("its_name")` and
`@dataclass(frozen=True)`. Drawn into the images of one class in training it is a confounder, drawn
into test images alone a shift; it knows of neither.
"""

from sourcebench.artifacts.apply import write_layer
from sourcebench.artifacts.base import ARTIFACTS, Artifact
from sourcebench.artifacts.drawing import Layer, fingerprint
from sourcebench.registry import discover

__all__ = ["ARTIFACTS", "Artifact", "Layer", "fingerprint", "write_layer"]

discover(__name__, __path__)
