"""Methods: how a network is trained, whatever it starts from.

A new one is a new file here: a class with `@METHODS.register("its_name")` and
`@dataclass(frozen=True)`. Importing this package loads no PyTorch.
"""

from sourcebench.registry import discover
from sourcebench.training.methods.base import METHODS, Method
from sourcebench.training.methods.cross_entropy import CROSS_ENTROPY

__all__ = ["CROSS_ENTROPY", "METHODS", "Method"]

discover(__name__, __path__)
