"""How confident is a network of its answers? Scores, a file each, by name.

A new one is a new file here: a class with its name in `SCORES`, as `softmax.py` shows. It says what
it needs of a network, and whose answers it is confident of: the mean of many passes calls other
classes than one pass does (Jaeger et al., ICLR 2023).
"""

from sourcebench.evaluation.confidence.base import SCORES, Score, Scored, Tested
from sourcebench.registry import discover

__all__ = ["SCORES", "Score", "Scored", "Tested"]

discover(__name__, __path__)
