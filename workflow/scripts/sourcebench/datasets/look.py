"""What can be had of a dataset without fetching or drawing anything."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TextIO

import pandas as pd

from sourcebench.datasets.base import Dataset
from sourcebench.datasets.pool.dataset import joined, of
from sourcebench.datasets.tasks import identified
from sourcebench.errors import SourceBenchError


@dataclass
class Looked:
    """What was found of a dataset.

    Attributes:
        metadata: with ids as text; None where it can't be had, or is still to be fetched.
        found: `image_id, path` as `Dataset.index` returns it; None where that can't be had. Images
            that are still to be had are there without a path.
        odd: counts of what was odd about the user's folder.
        problems: why something can't be had, a sentence each.
        awaited: tables that a run will fetch, by name.
        parts: likewise of a pool's datasets, by their names.
    """

    metadata: pd.DataFrame | None = None
    found: pd.DataFrame | None = None
    odd: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    awaited: list[str] = field(default_factory=list)
    parts: dict[str, "Looked"] = field(default_factory=dict)

    @property
    def there(self) -> set[str] | None:
        """The names of the images that are there; None where none is the user's own, for all."""
        if self.found is None or self.found["path"].isna().all():
            return None
        return set(self.found["image_id"])


def look(dataset: Dataset, cache: Path, processes: int, terminal: TextIO) -> Looked:
    """Read a dataset's table, and look for the user's own images; nothing is fetched.

    Args:
        dataset: also a pool, of which every part is looked at, whatever is wrong with another.
        cache: see `Dataset.index`.
        processes: how many may look for images.
        terminal: for progress.
    """
    if dataset.members:
        return _of_parts(dataset, cache, processes, terminal)
    looked = Looked()
    if table := dataset.awaited():
        looked.awaited.append(table)
    try:
        if not table:
            looked.metadata = identified(dataset.metadata())
        if dataset.folder:
            looked.found, looked.odd = dataset.index(dataset.folder, cache, processes, terminal)
        elif dataset.asked_for and dataset.origin == "download":
            dataset.download(pd.DataFrame(columns=["image_id"]), cache, terminal)
        elif looked.metadata is not None:
            looked.found = looked.metadata[["image_id"]].assign(path=None)
    except SourceBenchError as error:
        looked.problems.append(str(error))
    return looked


def _of_parts(pool: Dataset, cache: Path, processes: int, terminal: TextIO) -> Looked:
    """Look at each dataset of a pool."""
    parts = {
        name: look(member, cache / name, processes, terminal)
        for name, member in pool.members.items()
    }
    whole = Looked(parts=parts)
    tables, folders = {}, []
    for name, part in parts.items():
        whole.problems += [
            problem if pool.members[name].key in problem else f"{name}: {problem}"
            for problem in part.problems
        ]
        whole.awaited += part.awaited
        whole.odd = {
            key: whole.odd.get(key, 0) + part.odd.get(key, 0) for key in whole.odd | part.odd
        }
        if part.metadata is not None:
            tables[name] = part.metadata
        if part.found is not None:
            folders.append(part.found.assign(image_id=of(name, part.found["image_id"])))
    if len(tables) == len(parts):
        whole.metadata = joined(tables)
    if folders:
        whole.found = pd.concat(folders, ignore_index=True)
    return whole
