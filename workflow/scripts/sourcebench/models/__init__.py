"""Networks: backbones by name, and the classifier put on them.

Importing this package costs no PyTorch: names can be checked in no time, builders import what they
need when called. `sourcebench.models.classifier` is the one module to import for `Classifier`.
"""

from sourcebench.models import architectures
from sourcebench.models.registry import (
    ARCHITECTURES,
    NETWORKS,
    Architecture,
    build_backbone,
    build_network,
    fresh_network,
    initialisation_of,
    network_of,
    outline,
    truncate,
    weights_arch,
)
from sourcebench.registry import discover

discover(architectures.__name__, architectures.__path__)

__all__ = [
    "ARCHITECTURES",
    "NETWORKS",
    "Architecture",
    "build_backbone",
    "build_network",
    "fresh_network",
    "initialisation_of",
    "network_of",
    "outline",
    "truncate",
    "weights_arch",
]
