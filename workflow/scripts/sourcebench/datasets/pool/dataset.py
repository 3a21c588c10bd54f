"""Several datasets as one, such as those of several clinics."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, TextIO

import pandas as pd

from sourcebench.datasets.base import KINDS, Dataset
from sourcebench.datasets.tasks import identified
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.parameters import WrongParameter, parameter

ENTRIES: Mapping[str, Any] = {
    "type": "object",
    "minProperties": 1,
    "propertyNames": {"pattern": "^[A-Za-z0-9_]+$"},
    "additionalProperties": {
        "type": "object",
        "required": ["kind"],
        "properties": {"kind": {"type": "string"}},
    },
    "description": "entries of `datasets` by names of their own",
}
DOMAIN = "domain"


@KINDS.register("pool")
@dataclass(frozen=True)
class Pool(Dataset):
    """Several datasets as one, each with an origin of its own.

    An image or patient is known by the dataset's name, a slash, and its own id: no two datasets
    share any. The column `domain` says where an image is from: what the dataset says by that
    name, else its name.

    Args:
        parts: entries of datasets, by the names of their parts.
    """

    origin: str = parameter("parts", help="each of the parts has its own", choices=("parts",))
    parts: Mapping[str, Mapping[str, Any]] = parameter(
        help="the datasets, entries as of this section by names of their own",
        schema=ENTRIES,
        decides=False,  # the members do
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for name, entry in self.parts.items():
            if entry["kind"] not in KINDS.names():
                allowed = ", ".join(each for each in KINDS.names() if each != self.kind)
                text = f"has '{entry['kind']}', which is not known; allowed are: {allowed}."
                raise WrongParameter("", f"parts.{name}.kind", text)
            self._member(name)

    @cached_property
    def members(self) -> Mapping[str, Dataset]:
        """The datasets of the parts, by their names."""
        return {name: self._member(name) for name in self.parts}

    def _member(self, name: str) -> Dataset:
        values = {str(key): value for key, value in self.parts[name].items()}
        try:
            member = KINDS.build(values.pop("kind"), **values)
        except WrongParameter as error:
            key = ".".join(filter(None, ("parts", name, error.key)))
            raise WrongParameter("", key, error.text) from error
        object.__setattr__(member, "key", f"{self.key}.parts.{name}")  # the dataclass is frozen
        return member

    @property
    def local(self) -> bool:
        """Whether images of any part lie in a folder of the user's own."""
        return any(member.local for member in self.members.values())

    def metadata(self) -> pd.DataFrame:
        """Return the rows of all parts, see the class; a column that a part lacks is empty there.

        Raises:
            SourceBenchError: as the parts', or an id is missing.
        """
        return joined({name: identified(each.metadata()) for name, each in self.members.items()})

    def fingerprint(self) -> str:
        """Return what outside the config decides the parts' metadata and images."""
        return " ".join(f"{name}:{each.fingerprint()}" for name, each in self.members.items())

    def index(
        self, folder: Path, cache: Path, processes: int, terminal: TextIO
    ) -> tuple[pd.DataFrame, dict[str, int]]:
        """Find the images of the parts that lie in folders of the user's own.

        Of the others all stand there, since they can be had, without a path.
        """
        tables, odd = [], dict[str, int]()
        for name, member in self.members.items():
            if member.folder:
                found, counts = member.index(member.folder, cache / name, processes, terminal)
                odd = {key: odd.get(key, 0) + counts.get(key, 0) for key in odd | counts}
            else:
                found = identified(member.metadata())[["image_id"]].assign(path=None)
            tables.append(found.assign(image_id=of(name, found["image_id"])))
        return pd.concat(tables, ignore_index=True), odd

    def read(self, path: Path) -> tuple[Image, tuple[str, ...]]:
        """Refuse to: which part an image is of, its path does not say (see `image`)."""
        raise SourceBenchError(f"{self.key}: {path} is of one of several datasets; name the image.")

    def image(self, image_id: str, path: Path) -> tuple[Image, tuple[str, ...]]:
        """Read an image as its part does."""
        name, _, own = image_id.partition("/")
        return self.members[name].image(own, path)


IDS = ("image_id", "patient_id")


def joined(parts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the metadata of a pool, see the class.

    Args:
        parts: the metadata of each, by its name, with ids as text.
    """
    tables = []
    for name, table in parts.items():
        if DOMAIN not in table:
            table = table.assign(**{DOMAIN: name})
        tables.append(table.assign(**{key: of(name, table[key]) for key in IDS}))
    return pd.concat(tables, ignore_index=True)


def of(part: str, ids: pd.Series) -> pd.Series:
    """Return the ids of a part's images or patients as the pool has them."""
    return part + "/" + ids.astype(str)


def own(part: str, ids: pd.Series) -> pd.Series:
    """Return the ids that a pool has of a part's images or patients as the part has them."""
    return ids.str.removeprefix(f"{part}/")
