"""Weights from a file of the user's."""

from pathlib import Path
from typing import Any, ClassVar

from sourcebench.errors import SourceBenchError
from sourcebench.sources.base import IMAGES, KINDS, STRING, Entry, Order, Schema
from sourcebench.sources.foreign import NAMES, Foreign, checksum, choices
from sourcebench.sources.formats.containers import SNAPSHOT, parts
from sourcebench.sources.identity import content_of


class File(Foreign):
    """A checkpoint on disk: `{kind: file, path: "weights/{arch}.pth", mean: […], std: […]}`.

    `path` may be a folder that transformers saved, or one of which `files` names each
    architecture's file, or several, of which the first that is there is taken:
    `files: {resnet50: [ResNet50.pt, ResNet50_notop.h5]}`. `per_file` holds what is different for
    single files of these.
    """

    properties: ClassVar[Schema] = Foreign.properties | {
        "path": STRING,
        "files": {"type": "object", "minProperties": 1, "additionalProperties": NAMES},
        "per_file": {
            "type": "object",
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "properties": IMAGES,
            },
        },
    }
    required = (*Foreign.required, "path")
    by_arch = (*Foreign.by_arch, "files")

    def archs(self, entry: Entry) -> tuple[str, ...] | None:
        """Return the architectures in `archs`, or those that have a file in `files`."""
        return super().archs(entry) or tuple(entry.get("files", ())) or None

    def deciding(self, entry: Entry, arch: str) -> dict[str, Any]:
        """Return what of an entry decides the weights of one architecture: not its place."""
        kept = super().deciding(entry, arch)
        for place in ("path", "files"):
            kept.pop(place, None)
        own = {
            name: images
            for name, images in kept.pop("per_file", {}).items()
            if name in choices(entry, arch)
        }
        return kept | ({"per_file": own} if own else {})

    def entry_of(self, entry: Entry, arch: str, file: str) -> Entry:
        """Return an entry with what is different for an architecture, or for one file."""
        return {**super().entry_of(entry, arch, file), **entry.get("per_file", {}).get(file, {})}

    def fingerprint(self, entry: Entry, arch: str) -> Any:
        """Return the SHA-256 of the file that is there (or files).

        Nothing where the entry has it: then the file is checked by it when it is read.
        """
        if checksum(entry, arch):
            return None
        found = self.found(entry, arch)
        if found is None:
            return "missing"
        try:
            files = parts(found)
        except SourceBenchError:
            files = [found]  # an index that is wrong is an error where its weights are read
        return [content_of(file) for file in files]

    def name_of(self, entry: Entry, arch: str) -> str:
        """Return the name of the file that is taken, or where there is none of the first."""
        return (self.found(entry, arch) or _candidates(entry, arch)[0]).name

    def found(self, entry: Entry, arch: str) -> Path | None:
        """Return the file that is taken for an architecture, None where there is none."""
        return next((path for path in _candidates(entry, arch) if path.is_file()), None)

    def locate(self, order: Order) -> tuple[Path, dict[str, Any]]:
        """Return the file.

        Raises:
            SourceBenchError: it is not there; the message says where to get it and to put it.
        """
        found = self.found(order.entry, order.arch)
        if found is None:
            candidates = _candidates(order.entry, order.arch)
            looked = " or ".join(str(path.absolute()) for path in candidates)
            hint = order.entry.get("help") or f"Put it there, or correct sources.{order.name}.path."
            raise SourceBenchError(
                f"Source '{order.name}' has no file of weights for '{order.arch}': looked for "
                f"{looked}. {hint}"
            )
        return found, {"path": str(found)}


def _candidates(entry: Entry, arch: str) -> list[Path]:
    """Return where an architecture's file may be, the preferred place first."""
    place = Path(entry["path"].replace("{arch}", arch)).expanduser()
    names = choices(entry, arch) or (SNAPSHOT if place.is_dir() else ())
    return [place / name for name in names] or [place]


KINDS.register("file")(File())
