"""Transfer: what of a source's weights a network starts with, what is trained of it, and how fast.

A study names its transfers, each an entry `{kind: …, …}` with the parameters of its kind; a
truncated network is an architecture of its own, not a transfer. A new kind is a new file here: a
class with `@TRANSFERS.register("its_name")` and `@dataclass(frozen=True)`. Importing this package
loads no PyTorch, so that a config can be checked in no time.
"""

from sourcebench.registry import discover
from sourcebench.training.transfer.base import TRANSFERS, Transfer
from sourcebench.training.transfer.full import FULL, Full

__all__ = ["FULL", "TRANSFERS", "Full", "Transfer"]

discover(__name__, __path__)
