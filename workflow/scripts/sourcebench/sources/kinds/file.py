"""Weights from a file of the user's."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar, Self

from sourcebench.errors import SourceBenchError
from sourcebench.parameters import parameter
from sourcebench.schemas import Schema
from sourcebench.sources.base import KINDS, STRING, Order
from sourcebench.sources.foreign import Foreign, images_by
from sourcebench.sources.formats.containers import SNAPSHOT, parts
from sourcebench.sources.identity import content_of

FILES: Schema = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {
        "oneOf": [
            {"type": "string", "description": "a file's name"},
            {
                "type": "array",
                "minItems": 1,
                "items": STRING,
                "description": "a list of them, the preferred one first",
            },
        ]
    },
    "description": "architecture → file, or a list of files",
}


@KINDS.register("file")
@dataclass(frozen=True)
class File(Foreign):
    """A checkpoint on disk: `{kind: file, path: "weights/{arch}.pth", mean: […], std: […]}`.

    Args:
        path: where it is, with `{arch}` for the architecture; or a folder that transformers saved,
            or one of `files`.
        files: each architecture's file in that folder, or several, of which the first that is
            there is taken: `files: {resnet50: [ResNet50.pt, ResNet50_notop.h5]}`.
        per_file: what is different about the images for single files of these.
    """

    by_arch: ClassVar[tuple[str, ...]] = (*Foreign.by_arch, "files")

    path: str = parameter(
        help="where the checkpoint is (`{arch}` stands for the architecture), "
        "a folder that transformers saved, or the folder of `files`",
        decides=False,
    )
    files: dict[str, Any] | None = parameter(
        None,
        help="the files in that folder; of several the first that is there is taken",
        schema=FILES,
        decides=False,
    )
    per_file: dict[str, Any] | None = parameter(
        None, help="what differs for one of the `files`", schema=images_by("file")
    )

    @property
    def covers(self) -> tuple[str, ...] | None:
        """The architectures in `archs`, or those that have a file in `files`; None: any."""
        return super().covers or tuple(self.files or ()) or None

    def deciding(self, arch: str) -> dict[str, Any]:
        """Return the values that decide the weights of one architecture, by their keys."""
        kept, named = super().deciding(arch), self._named(arch)
        images = kept.pop("per_file", {})
        own = {name: of for name, of in images.items() if name in named}
        return kept | ({"per_file": own} if own else {})

    def exactly(self, arch: str, file: str) -> Self:
        """Return the source as it is for an architecture, and for one file of it."""
        return replace(super().exactly(arch, file), **(self.per_file or {}).get(file, {}))

    def fingerprint(self, arch: str) -> Any:
        """Return the SHA-256 of the file that is there (or files).

        Nothing where the entry has it: then the file is checked by it when it is read.
        """
        if self.checksum(arch):
            return None
        found = self.found(arch)
        if found is None:
            return "missing"
        try:
            files = parts(found)
        except SourceBenchError:
            files = [found]  # an index that is wrong is an error where its weights are read
        return [content_of(file) for file in files]

    def name_of(self, arch: str) -> str:
        """Return the name of the file that is taken, or where there is none of the first."""
        return (self.found(arch) or self._candidates(arch)[0]).name

    def found(self, arch: str) -> Path | None:
        """Return the file that is taken for an architecture, None where there is none."""
        return next((path for path in self._candidates(arch) if path.is_file()), None)

    def locate(self, order: Order) -> tuple[Path, dict[str, Any]]:
        """Return the file.

        Raises:
            SourceBenchError: it is not there; the message says where to get it and to put it.
        """
        found = self.found(order.arch)
        if found is None:
            looked = " or ".join(str(path.absolute()) for path in self._candidates(order.arch))
            hint = self.help or f"Put it there, or correct sources.{order.name}.path."
            raise SourceBenchError(
                f"Source '{order.name}' has no file of weights for '{order.arch}': looked for "
                f"{looked}. {hint}"
            )
        return found, {"path": str(found)}

    def _named(self, arch: str) -> list[str]:
        """Return the names of an architecture's files in `files`, the preferred one first."""
        named = (self.files or {}).get(arch, [])
        return [named] if isinstance(named, str) else list(named)

    def _candidates(self, arch: str) -> list[Path]:
        """Return where an architecture's file may be, the preferred place first."""
        place = Path(self.path.replace("{arch}", arch)).expanduser()
        names = self._named(arch) or (SNAPSHOT if place.is_dir() else ())
        return [place / name for name in names] or [place]
