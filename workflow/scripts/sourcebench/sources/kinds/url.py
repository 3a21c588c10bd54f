"""Weights from an address on the web."""

from pathlib import Path, PurePosixPath
from typing import Any, ClassVar
from urllib.parse import urlsplit

from sourcebench.datasets.transfer import discard, fetch
from sourcebench.errors import SourceBenchError
from sourcebench.sources.base import KINDS, Order, Schema, Specification
from sourcebench.sources.foreign import Foreign, checksum

FOLDER = Path("resources/downloads")


class Url(Foreign):
    """A checkpoint on the web: `{kind: url, urls: {arch: https://…}, sha256: {arch: …}, …}`.

    It is downloaded to `resources/downloads/<source>/`, resumed where it stopped, and kept only if
    its checksum is the one announced.
    """

    properties: ClassVar[Schema] = Foreign.properties | {
        "urls": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": "string", "pattern": "^https?://"},
        },
    }
    required = (*Foreign.required, "urls", "sha256")
    by_arch = (*Foreign.by_arch, "urls")

    def archs(self, spec: Specification) -> tuple[str, ...] | None:
        """Return the architectures that have an address."""
        return tuple(spec["urls"])

    def locate(self, order: Order) -> tuple[Path, dict[str, Any]]:
        """Return the downloaded file.

        Raises:
            SourceBenchError: it has no checksum, can't be downloaded, or is another file.
        """
        from sourcebench.sources.checkpoints import sha256_of

        expected = checksum(order.spec, order.arch)
        if expected is None:
            raise SourceBenchError(
                f"sources.{order.name}.sha256 has no checksum for '{order.arch}'; a file from the "
                "web is only taken with one."
            )
        url = order.spec["urls"][order.arch]
        path = FOLDER / order.name / PurePosixPath(urlsplit(url).path).name
        origin = {"url": url}
        if path.is_file() and sha256_of(path) == expected:
            return path, origin
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        fetch(url, part, sealed=True, label=path.name)
        digest = sha256_of(part)
        if digest != expected:
            discard(part)
            raise SourceBenchError(
                f"{url} is not the file that sources.{order.name}.sha256 announces: its SHA-256 "
                f"is {digest}. It was deleted; find out whether the file or the checksum is wrong."
            )
        part.replace(path)
        discard(part)
        return path, origin


KINDS.register("url")(Url())
