"""Weights from a file of the user's."""

from pathlib import Path
from typing import Any, ClassVar

from sourcebench.errors import SourceBenchError
from sourcebench.sources.base import KINDS, STRING, Order, Schema, Specification
from sourcebench.sources.foreign import NAMES, Foreign, choices


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

    def archs(self, spec: Specification) -> tuple[str, ...] | None:
        """Return the architectures in `archs`, or those that have a file in `files`."""
        return super().archs(spec) or tuple(spec.get("files", ())) or None

    def locate(self, order: Order) -> tuple[Path, dict[str, Any]]:
        """Return the file.

        Raises:
            SourceBenchError: it is not there; the message says where to get it and to put it.
        """
        place = Path(order.spec["path"].replace("{arch}", order.arch)).expanduser()
        names = choices(order.spec, order.arch)
        candidates = [place / name for name in names] or [place]
        found = next((path for path in candidates if path.is_file()), None)
        if found is None:
            looked = " or ".join(str(path.absolute()) for path in candidates)
            hint = order.spec.get("help") or f"Put it there, or correct sources.{order.name}.path."
            raise SourceBenchError(
                f"Source '{order.name}' has no file of weights for '{order.arch}': looked for "
                f"{looked}. {hint}"
            )
        return found, {"path": str(found)}


KINDS.register("file")(File())
