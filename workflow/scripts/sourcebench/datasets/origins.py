"""Where original images come from: a download, phantoms, or the user's own folder."""

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TextIO

import pandas as pd

from sourcebench.datasets.base import Dataset
from sourcebench.datasets.mirrors import MIRRORS
from sourcebench.datasets.pool.dataset import IDS, of, own
from sourcebench.errors import SourceBenchError
from sourcebench.files import atomic
from sourcebench.fingerprints import code_of
from sourcebench.registry import Registry

Origin = Callable[[Dataset, pd.DataFrame, Path, int, TextIO], Path]
ORIGINS: Registry[Origin] = Registry("origin")
"""Each takes the dataset, the wanted rows (a manifest's columns), a folder for what it gets, a
number of processes and the terminal; it returns the folder that holds every wanted image."""


@ORIGINS.register("download")
def from_download(
    dataset: Dataset, wanted: pd.DataFrame, folder: Path, _: int, terminal: TextIO
) -> Path:
    """Download the dataset, as far as it is wanted."""
    return dataset.download(wanted, folder, terminal)


@ORIGINS.register("phantoms")
def from_phantoms(
    dataset: Dataset, wanted: pd.DataFrame, folder: Path, processes: int, terminal: TextIO
) -> Path:
    """Draw a phantom for each wanted image, in the layout of the download."""
    images = folder / "images"
    _forget_others(folder, code_of(MIRRORS.get(dataset.kind)))
    new = MIRRORS.get(dataset.kind)(wanted, images, processes)
    print(f"Drew {new} phantoms; {len(wanted) - new} were there.", file=terminal)
    return images


def _forget_others(folder: Path, code: str) -> None:
    """Delete phantoms that were drawn by other code than today's: they are other images."""
    mark = folder / "drawn_by"
    if not mark.is_file() or mark.read_text() != code:
        if (folder / "images").exists():
            shutil.rmtree(folder / "images")
        with atomic(mark) as temporary:
            temporary.write_text(code)


@ORIGINS.register("path")
def from_folder(dataset: Dataset, _: pd.DataFrame, __: Path, ___: int, ____: TextIO) -> Path:
    """Use the user's folder as it is."""
    return Path(str(dataset.path))


Found = tuple[pd.DataFrame, dict[str, int]]
"""`image_id, path` of images, and counts of what was odd about their folder."""


def retrieve(
    dataset: Dataset,
    wanted: pd.DataFrame,
    folder: Path,
    processes: int,
    terminal: TextIO,
    found: Found | None = None,
) -> Found:
    """Get the wanted images from where the dataset's entry says.

    Args:
        dataset: the dataset.
        wanted: rows of manifests, each image once.
        folder: where a download or phantoms go.
        processes: how many to use.
        terminal: for progress.
        found: what `Dataset.index` found in the user's own folder, if somebody has looked already;
            nobody looks again then.

    Returns:
        `image_id, path` of every wanted image, sorted by `image_id`, and counts of what was odd
        about the folder.

    Raises:
        SourceBenchError: an image can't be had.
    """
    if dataset.members:
        return _of_members(dataset, wanted, folder, processes, terminal, found)
    images = ORIGINS.get(dataset.origin)(dataset, wanted, folder, processes, terminal)
    table, odd = found or dataset.index(images, folder, processes, terminal)
    table = table[table["image_id"].isin(wanted["image_id"])]
    if missing := sorted(set(wanted["image_id"]) - set(table["image_id"])):
        raise SourceBenchError(
            f"{len(missing)} of {len(wanted)} images are missing in {images} (such as "
            f"{missing[0]}); run the same command again to fetch them, or put them back."
        )
    return table.sort_values("image_id", ignore_index=True), odd


def _of_members(
    pool: Dataset,
    wanted: pd.DataFrame,
    folder: Path,
    processes: int,
    terminal: TextIO,
    found: Found | None,
) -> Found:
    """Get the wanted images of each dataset of a pool, as `retrieve`."""
    tables, odd = [], dict[str, int]() if found is None else dict(found[1])
    part = wanted["image_id"].str.partition("/")[0]
    for name, member in pool.members.items():
        ours = wanted[part == name]
        if ours.empty:
            continue
        known: Found | None = None
        if found is not None and member.local:
            there = found[0][found[0]["image_id"].str.startswith(f"{name}/")]
            known = there.assign(image_id=own(name, there["image_id"])), {}
        place = folder.parent / "phantoms" / folder.name if member.origin == "phantoms" else folder
        without = ours.assign(**{key: own(name, ours[key]) for key in IDS})
        table, counts = retrieve(member, without, place / name, processes, terminal, known)
        odd = {key: odd.get(key, 0) + counts.get(key, 0) for key in odd | counts}
        tables.append(table.assign(image_id=of(name, table["image_id"])))
    return pd.concat(tables).sort_values("image_id", ignore_index=True), odd
