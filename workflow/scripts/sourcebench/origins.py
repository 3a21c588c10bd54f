"""Where original images come from: a download, phantoms, or the user's own folder."""

from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import pandas as pd

from sourcebench.datasets import local
from sourcebench.datasets.base import Dataset
from sourcebench.datasets.prepare import index
from sourcebench.phantoms import MIRRORS
from sourcebench.registry import Registry

Origin = Callable[[Dataset, pd.DataFrame, Path, int, TextIO], pd.DataFrame]
ORIGINS: Registry[Origin] = Registry("origin")
"""Each takes the dataset, the wanted rows (a manifest's columns), a folder for what it gets, a
number of processes and the terminal; it returns `image_id` and `path` of every wanted image."""


@ORIGINS.register("download")
def from_download(
    dataset: Dataset, wanted: pd.DataFrame, folder: Path, _: int, terminal: TextIO
) -> pd.DataFrame:
    """Download the dataset, as far as it is wanted."""
    images = dataset.download(list(wanted["image_id"]), folder, terminal)
    return index(wanted["image_id"], images)


@ORIGINS.register("phantoms")
def from_phantoms(
    dataset: Dataset, wanted: pd.DataFrame, folder: Path, processes: int, terminal: TextIO
) -> pd.DataFrame:
    """Draw a phantom for each wanted image, in the layout of the download."""
    images = folder / "images"
    new = MIRRORS.get(dataset.spec["kind"])(wanted, images, processes)
    print(f"Drew {new} phantoms; {len(wanted) - new} were there.", file=terminal)
    return index(wanted["image_id"], images)


@ORIGINS.register("path")
def from_folder(
    dataset: Dataset, wanted: pd.DataFrame, _: Path, __: int, ___: TextIO
) -> pd.DataFrame:
    """Find the wanted images in the user's folder."""
    found = local.index_folder(Path(dataset.spec["path"]))
    return found[found["image_id"].isin(wanted["image_id"])]
