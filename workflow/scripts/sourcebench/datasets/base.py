"""What a dataset is: a table of images, ways to get them, and how one is read."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TextIO

import pandas as pd

from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.registry import Registry
from sourcebench.retrieval.folders import fingerprint as folder_state
from sourcebench.retrieval.folders import index_folder
from sourcebench.retrieval.formats.png import read_png

METADATA_COLUMNS = ["image_id", "patient_id", "sex", "age", "view", "findings"]

TRANSPORT = ("path", "url", "checksums", "keep_archives", "keep_all_images")
"""Keys of an entry that say how images are got, and not what is on them."""

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
        suffixes: of the names of its image files, in small letters; () where any name may be one.
        properties: JSON schemas of the entry's keys beyond kind, origin and path.
        required: those of them that must be there.
    """

    suffixes: ClassVar[tuple[str, ...]] = (".png",)
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
        """Return one row per image, with at least the columns `METADATA_COLUMNS`.

        `image_id` (file name, or another unique name) and `patient_id`, both text, `sex` (M|F),
        `age` (years), `view` (text), `findings` (names joined by '|'); what is not known is
        missing, but for the ids. Further columns go on to the manifest, where a confounder made
        by sampling may go by one.
        """

    def fingerprint(self) -> str:
        """Return what outside the config decides metadata and images, in a text that changes.

        It is asked for before every run of the workflow, so it has to be cheap: for images of the
        user's own it is the names, sizes and times of the files in their folder. A kind with
        tables of the user's adds these.

        Raises:
            SourceBenchError: the folder can't be read.
        """
        if self.spec["origin"] != "path":
            return ""
        return folder_state(Path(self.spec["path"]), self.suffixes)

    def download(self, wanted: pd.DataFrame, folder: Path, terminal: TextIO) -> Path:
        """Fetch images, and return the folder that holds them.

        Args:
            wanted: rows of manifests.
            folder: where everything goes.
            terminal: for progress.

        Raises:
            SourceBenchError: it has no download, or the download fails.
        """
        raise SourceBenchError(
            f"datasets.{self.name}: there is no download for a dataset of kind "
            f"'{self.spec['kind']}'; set origin to 'path' and path to a folder of images."
        )

    def index(
        self, folder: Path, cache: Path, processes: int, terminal: TextIO
    ) -> tuple[pd.DataFrame, dict[str, int]]:
        """Find this dataset's images in a folder, however it is laid out.

        Args:
            folder: the user's, or what a download or phantoms filled.
            cache: a folder for what is worth remembering from one call to the next.
            processes: how many to use.
            terminal: for progress.

        Returns:
            `image_id, path` of every image that is there, and counts of what was odd.

        Raises:
            SourceBenchError: no such folder, or no image in it.
        """
        found = index_folder(folder, self.suffixes)
        return found, {"duplicates": found.attrs["duplicates"]}

    def read(self, path: Path) -> tuple[Image, tuple[str, ...]]:
        """Read an image.

        Returns:
            H×W, or H×W×C of several channels, uint8, all images of one size; and what was
            odd about the file, in words fit for a table's column ('short_pixel_data').

        Raises:
            SourceBenchError: the file is missing, damaged, or another kind of image.
        """
        return read_png(path), ()


KINDS: Registry[type[Dataset]] = Registry("kind of dataset")


def build(name: str, spec: Mapping[str, Any]) -> Dataset:
    """Return a dataset of the config.

    Raises:
        SourceBenchError: there is no such kind.
    """
    return KINDS.get(spec["kind"])(name, spec)
