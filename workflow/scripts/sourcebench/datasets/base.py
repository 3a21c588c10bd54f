"""What a dataset is: a table of images, and ways to get them."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TextIO

import pandas as pd

from sourcebench.errors import SourceBenchError
from sourcebench.registry import Registry

METADATA_COLUMNS = ["image_id", "patient_id", "sex", "age", "view", "findings"]

ORIGIN_PROPERTIES: dict[str, Any] = {
    "kind": {"type": "string"},
    "origin": {"enum": ["download", "phantoms", "path"]},
    "path": {"type": ["string", "null"], "description": "a folder"},
}


class Dataset(ABC):
    """A dataset of 2-D images, as an entry of `datasets` in the config describes it.

    Args:
        name: the entry's name.
        spec: the entry.

    Attributes:
        properties: JSON schemas of the entry's keys beyond kind, origin and path.
        required: those of them that must be there.
    """

    properties: ClassVar[dict[str, Any]] = {}
    required: ClassVar[list[str]] = []

    def __init__(self, name: str, spec: Mapping[str, Any]) -> None:
        self.name, self.spec = name, spec

    @classmethod
    def schema(cls) -> dict[str, Any]:
        """Return the JSON schema of an entry of this kind."""
        return {
            "type": "object",
            "additionalProperties": False,
            "required": ["kind", "origin", *cls.required],
            "properties": ORIGIN_PROPERTIES | cls.properties,
        }

    @abstractmethod
    def metadata(self) -> pd.DataFrame:
        """Return one row per image, with the columns `METADATA_COLUMNS`.

        `image_id` (file name), `patient_id` (int), `sex` (M|F), `age` (years), `view` (text),
        `findings` (names joined by '|').
        """

    def download(self, wanted: list[str], folder: Path, terminal: TextIO) -> Path:
        """Fetch images, and return the folder that holds them.

        Args:
            wanted: image_ids.
            folder: where everything goes.
            terminal: for progress.

        Raises:
            SourceBenchError: it has no download, or the download fails.
        """
        raise SourceBenchError(
            f"datasets.{self.name}: there is no download for a dataset of kind "
            f"'{self.spec['kind']}'; set origin to 'path' and path to a folder of images."
        )


KINDS: Registry[type[Dataset]] = Registry("kind of dataset")


def build(name: str, spec: Mapping[str, Any]) -> Dataset:
    """Return a dataset of the config.

    Raises:
        SourceBenchError: there is no such kind.
    """
    return KINDS.get(spec["kind"])(name, spec)
