"""Methods: how a network is trained, whatever it starts from.

A study names its methods, each an entry `{kind: …, …}` with the parameters of its kind. A new kind
is a new file here: a class with `@METHODS.register("its_name")` and `@dataclass(frozen=True)`, of
`Method` where it is a loss, of `Procedure` as well where it is more. Importing this package loads
no PyTorch, so that a config can be checked in no time.
"""

from sourcebench.registry import discover
from sourcebench.training.methods.base import METHODS, Method
from sourcebench.training.methods.cross_entropy import CROSS_ENTROPY
from sourcebench.training.methods.procedure import (
    Objective,
    Plan,
    Procedure,
    Stage,
    procedure_of,
)

__all__ = [
    "CROSS_ENTROPY",
    "METHODS",
    "Method",
    "Objective",
    "Plan",
    "Procedure",
    "Stage",
    "procedure_of",
]

discover(__name__, __path__)
