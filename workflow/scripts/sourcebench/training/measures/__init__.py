"""Measures: what is measured of a trained network besides its logits, where a score asks for it.

A new one is a new file here: a class with its name in `MEASURES`, as `neighbours.py` shows. It says
which columns it adds to a run's predictions, and is told the trained network and, if it asks, the
features of the images that this was trained on. Importing this package loads no PyTorch, so that a
config can be checked in no time.
"""

from sourcebench.registry import discover
from sourcebench.training.measures.base import (
    MEASURES,
    Columns,
    Instrument,
    Learned,
    Measure,
    Subject,
)

__all__ = ["MEASURES", "Columns", "Instrument", "Learned", "Measure", "Subject"]

discover(__name__, __path__)
