"""What a dataset is: a table of images, ways to get them, and how one is read."""

from abc import abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, TextIO

import pandas as pd

from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.kinds import Kind, Kinds
from sourcebench.parameters import WrongParameter, parameter
from sourcebench.retrieval.folders import fingerprint as folder_state
from sourcebench.retrieval.folders import index_folder
from sourcebench.retrieval.formats.png import read_png

METADATA_COLUMNS = ["image_id", "patient_id", "sex", "age", "view", "findings"]


@dataclass(frozen=True)
class Dataset(Kind):
    """A dataset of 2-D images, as an entry of `datasets` in the config describes it.

    Args:
        origin: where its images come from: 'download', 'phantoms' or 'path'.
        path: with origin 'path', the user's own folder of images.

    Attributes:
        key: where its entry stands in the config, for messages; `build` sets it.
        suffixes: of the names of its image files, in small letters; () where any name may be one.
        asked_for: whether people have to ask for its images, so that `download` does no more than
            say where.

    Raises:
        SourceBenchError: a value that is not allowed, or origin 'path' without a path.
    """

    noun = "Dataset"
    key = "datasets"
    suffixes: ClassVar[tuple[str, ...]] = (".png",)
    asked_for: ClassVar[bool] = False

    origin: str = parameter(
        choices=("download", "phantoms", "path"),
        help="where the images come from; phantoms are drawn after the real metadata",
    )
    path: str | None = parameter(
        None,
        help="with origin `path`: a folder with the images, in any layout",
        decides=False,
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.origin == "path" and self.path is None:
            raise WrongParameter(
                f"{self.noun} '{self.kind}'",
                "path",
                "is nothing, but with origin 'path' it must be a folder that holds the images.",
            )

    @property
    def members(self) -> Mapping[str, "Dataset"]:
        """The datasets that it is made of, by their names; {} unless it is a pool."""
        return {}

    @property
    def local(self) -> bool:
        """Whether images of it lie in a folder of the user's own."""
        return self.origin == "path"

    @property
    def folder(self) -> Path | None:
        """The user's own folder of images; None with another origin."""
        return Path(self.path) if self.origin == "path" and self.path else None

    @abstractmethod
    def metadata(self) -> pd.DataFrame:
        """Return one row per image, with at least the columns `METADATA_COLUMNS`.

        `image_id` (file name, or another unique name) and `patient_id`, both text, `sex` (M|F),
        `age` (years), `view` (text), `findings` (names joined by '|'); what is not known is
        missing, but for the ids. Further columns go on to the manifest, where a confounder made
        by sampling may go by one.
        """

    def awaited(self) -> str:
        """Return the name of the table that `metadata` would fetch first; "" if it fetches none."""
        return ""

    def fingerprint(self) -> str:
        """Return what outside the config decides metadata and images, in a text that changes.

        It is asked for before every run of the workflow, so it has to be cheap: for images of the
        user's own it is the names, sizes and times of the files in their folder. A kind with
        tables of the user's adds these.

        Raises:
            SourceBenchError: the folder can't be read.
        """
        return folder_state(self.folder, self.suffixes) if self.folder else ""

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
            f"{self.key}: there is no download for a dataset of kind "
            f"'{self.kind}'; set origin to 'path' and path to a folder of images."
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

    def image(self, image_id: str, path: Path) -> tuple[Image, tuple[str, ...]]:
        """Read an image, as `read`.

        Args:
            image_id: its name, by which a pool knows whose image it is.
            path: of its file.
        """
        return self.read(path)


KINDS: Kinds[Dataset] = Kinds("kind of dataset")


def build(name: str, entry: Mapping[str, Any]) -> Dataset:
    """Return a dataset of the config.

    Args:
        name: of the entry.
        entry: `kind`, and its parameters.

    Raises:
        SourceBenchError: an unknown kind or key, one that is missing, or a value that is not
            allowed; the message says what is.
    """
    key = f"datasets.{name}"
    dataset = KINDS.from_entry(entry, key)
    object.__setattr__(dataset, "key", key)  # the dataclass is frozen
    return dataset
