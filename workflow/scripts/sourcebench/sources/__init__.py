"""Sources: where a backbone's first weights come from.

A source in the config is a name and an entry, `{kind: …, …}`. Its kind (in `KINDS`) declares the
entry's keys, says which architectures it covers and supplies the weights;
`sourcebench.sources.weights` writes them with their card. A new kind is a new file in `kinds`: a
class with `@KINDS.register("its_name")` and `@dataclass(frozen=True)`. Importing this package costs
no PyTorch.
"""

from sourcebench.registry import discover
from sourcebench.sources import generators, kinds
from sourcebench.sources.base import KINDS, Order, Supplier, Supply
from sourcebench.sources.card import Card
from sourcebench.sources.generators.base import GENERATORS, Generator
from sourcebench.sources.identity import weights_id
from sourcebench.sources.normalisation import USUAL, Normalisation

discover(generators.__name__, generators.__path__)
discover(kinds.__name__, kinds.__path__)

__all__ = [
    "GENERATORS",
    "KINDS",
    "USUAL",
    "Card",
    "Generator",
    "Normalisation",
    "Order",
    "Supplier",
    "Supply",
    "weights_id",
]
