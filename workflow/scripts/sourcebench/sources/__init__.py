"""Sources: where a backbone's first weights come from.

A source in the config is a name and an entry, `{kind: …, …}`. A kind (`KINDS`) says which
architectures an entry covers and supplies the weights; `sourcebench.sources.weights` writes them
with their card. Importing this package costs no PyTorch.
"""

from sourcebench.registry import discover
from sourcebench.sources import generators, kinds
from sourcebench.sources.base import KINDS, Entry, Kind, Order, Supply
from sourcebench.sources.card import Card
from sourcebench.sources.generators.base import GENERATORS, Generator
from sourcebench.sources.identity import weights_id
from sourcebench.sources.normalisation import USUAL, Normalisation

# The generators first: a kind lists them in its schema.
discover(generators.__name__, generators.__path__)
discover(kinds.__name__, kinds.__path__)

__all__ = [
    "GENERATORS",
    "KINDS",
    "USUAL",
    "Card",
    "Entry",
    "Generator",
    "Kind",
    "Normalisation",
    "Order",
    "Supply",
    "weights_id",
]
