"""The registry of mirrors: phantoms that lie where a download would have put the images."""

from collections.abc import Callable
from pathlib import Path

import pandas as pd

from sourcebench.registry import Registry

Mirror = Callable[[pd.DataFrame, Path, int], int]
MIRRORS: Registry[Mirror] = Registry("phantom mirror")
"""Kind of dataset → function of the wanted rows (a manifest's columns), the folder of images and a
number of processes, which writes the images that are not there yet and returns how many."""
