"""Weights from a file of the user's."""

from pathlib import Path
from typing import Any, ClassVar

from sourcebench.errors import SourceBenchError
from sourcebench.sources.base import KINDS, STRING, Order, Schema, Specification
from sourcebench.sources.foreign import NAMES, Foreign, checksum, choices
from sourcebench.sources.identity import state_of


class File(Foreign):
    """A checkpoint on disk: `{kind: file, path: "weights/{arch}.pth", mean: […], std: […]}`.

    `path` may be a folder, of which `files` names each architecture's file, or several, of which
    the first that is there is taken: `files: {resnet50: [ResNet50.pt, ResNet50_notop.h5]}`.
    """

    properties: ClassVar[Schema] = Foreign.properties | {
        "path": STRING,
        "files": {"type": "object", "minProperties": 1, "additionalProperties": NAMES},
    }
    required = (*Foreign.required, "path")
    by_arch = (*Foreign.by_arch, "files")

    def archs(self, spec: Specification) -> tuple[str, ...] | None:
        """Return the architectures in `archs`, or those that have a file in `files`."""
        return super().archs(spec) or tuple(spec.get("files", ())) or None

    def fingerprint(self, spec: Specification, arch: str) -> Any:
        """Return the state of the file that is there: its path, size and time of change.

        With a checksum in the specification nothing: it says more than size and time do, and a
        copy of the file is the same.
        """
        if checksum(spec, arch):
            return None
        candidates = _candidates(spec, arch)
        return state_of(next((path for path in candidates if path.is_file()), candidates[0]))

    def locate(self, order: Order) -> tuple[Path, dict[str, Any]]:
        """Return the file.

        Raises:
            SourceBenchError: it is not there; the message says where to get it and to put it.
        """
        candidates = _candidates(order.spec, order.arch)
        found = next((path for path in candidates if path.is_file()), None)
        if found is None:
            looked = " or ".join(str(path.absolute()) for path in candidates)
            hint = order.spec.get("help") or f"Put it there, or correct sources.{order.name}.path."
            raise SourceBenchError(
                f"Source '{order.name}' has no file of weights for '{order.arch}': looked for "
                f"{looked}. {hint}"
            )
        return found, {"path": str(found)}


def _candidates(spec: Specification, arch: str) -> list[Path]:
    """Return where an architecture's file may be, the preferred place first."""
    place = Path(spec["path"].replace("{arch}", arch)).expanduser()
    return [place / name for name in choices(spec, arch)] or [place]


KINDS.register("file")(File())
