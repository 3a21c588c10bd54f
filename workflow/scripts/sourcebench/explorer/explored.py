"""What was found in a run's latent space, read again from its folder."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image as Picture

from sourcebench import files
from sourcebench.imaging import Image

TABLES = ("embedding", "concepts", "failures", "severities")
TEXT = ("layer", "confounder", "test_set", "set", "family", "label", "concept", "name", "score")


@dataclass(frozen=True, eq=False)
class Explored:
    """A run whose latent space was kept; the tables are those of `explore.explore`.

    Attributes:
        folder: where its files lie.
        record: how they were made, see `explore.explore`.
        embedding: a row for each test set and image.
        concepts: a row for each concept and cluster.
        failures: a row for each score, test set and failure that is shown.
        severities: a row for each corruption, image, severity and score.
    """

    folder: Path
    record: Mapping[str, Any]
    embedding: pd.DataFrame
    concepts: pd.DataFrame
    failures: pd.DataFrame
    severities: pd.DataFrame

    @classmethod
    def read(cls, folder: str | Path) -> Explored:
        """Read a run's folder; `label` is an integer, but in concepts text, of some '' alone."""
        folder = Path(folder)
        tables = {name: _read(folder / f"{name}.csv", name == "concepts") for name in TABLES}
        return cls(folder, files.read_json(folder / "explored.json"), **tables)

    @property
    def run(self) -> Mapping[str, Any]:
        """Its place in the experiment, by axis."""
        run: Mapping[str, Any] = self.record["run"]
        return run

    @property
    def scores(self) -> Mapping[str, Mapping[str, Any]]:
        """Of each score its `title` and `threshold`; figures show the first."""
        scores: Mapping[str, Mapping[str, Any]] = self.record["scores"]
        return scores

    @cached_property
    def points(self) -> pd.DataFrame:
        """The rows of `embedding` that were drawn by chance and have a place."""
        there = self.embedding["x"].notna() & self.embedding["sampled"]
        return self.embedding[there]

    def class_name(self, label: int | str) -> str:
        """Return what a class is called; its number, where classes have no names."""
        names = self.record["classes"]
        return str(names[int(label)] if names else label)

    def title_of(self, test_set: str) -> str:
        """Return what people call a test set, by the column `set`."""
        return str(self.record["sets"].get(test_set, test_set))

    def image(self, name: str) -> Image:
        """Return a thumbnail by its name: H×W grey or H×W×3 colours, uint8."""
        return np.asarray(Picture.open(self.folder / name))


def _read(path: Path, of_text: bool) -> pd.DataFrame:
    """Read a table; names are text, whatever they look like."""
    names = TEXT if of_text else [name for name in TEXT if name != "label"]
    return files.read_table(path, text=names)
