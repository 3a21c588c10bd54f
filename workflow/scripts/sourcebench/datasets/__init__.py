"""Where the images and their labels come from.

A dataset is an entry of `datasets` in the config; its kind is one file in `kinds/`.
"""

from sourcebench.datasets import kinds
from sourcebench.registry import discover

discover(kinds.__name__, kinds.__path__)
