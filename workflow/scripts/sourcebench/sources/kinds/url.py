"""Weights from an address on the web."""

from pathlib import Path, PurePosixPath
from typing import Any, ClassVar
from urllib.parse import urlsplit

from sourcebench.errors import SourceBenchError
from sourcebench.retrieval.http import discard, fetch
from sourcebench.sources.base import KINDS, Entry, Order, Schema
from sourcebench.sources.foreign import Foreign, checksum

FOLDER = Path("resources/downloads")


class Url(Foreign):
    """A checkpoint on the web: `{kind: url, urls: {arch: https://…}, sha256: {arch: …}, …}`.

    It is downloaded to `resources/downloads/<source>/` and resumed where it stopped. With a
    checksum it is kept only if it has it; without one what came is taken, and its own stands on the
    card. An archive (`.tar.gz`) is opened: it holds one file of weights.
    """

    properties: ClassVar[Schema] = Foreign.properties | {
        "urls": {
            "type": "object",
            "minProperties": 1,
            "additionalProperties": {"type": "string", "pattern": "^https?://"},
        },
    }
    required = (*Foreign.required, "urls")
    by_arch = (*Foreign.by_arch, "urls")

    def archs(self, entry: Entry) -> tuple[str, ...] | None:
        """Return the architectures that have an address."""
        return tuple(entry["urls"])

    def name_of(self, entry: Entry, arch: str) -> str:
        """Return the name of an architecture's file."""
        return PurePosixPath(urlsplit(entry["urls"][arch]).path).name

    def locate(self, order: Order) -> tuple[Path, dict[str, Any]]:
        """Return the downloaded file.

        Raises:
            SourceBenchError: it can't be downloaded, or is another file than announced.
        """
        from sourcebench.sources.formats.checkpoints import sha256_of

        expected = checksum(order.entry, order.arch)
        if expected is None and "sha256" in order.entry:
            raise SourceBenchError(
                f"sources.{order.name}.sha256 has no checksum for '{order.arch}'; give it one as "
                "well, or leave the key out to take whatever comes."
            )
        url = order.entry["urls"][order.arch]
        path = FOLDER / order.name / self.name_of(order.entry, order.arch)
        origin = {"url": url}
        if path.is_file() and expected in (None, sha256_of(path)):
            return path, origin
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f"{path.name}.part")
        fetch(url, part, sealed=expected is not None, label=path.name)
        digest = sha256_of(part)
        if expected is None:
            print(
                f"{url} came without a checksum to check; that of what came is {digest}. With "
                f"sources.{order.name}.sha256 no other file is taken."
            )
        elif digest != expected:
            discard(part)
            raise SourceBenchError(
                f"{url} is not the file that sources.{order.name}.sha256 announces: its SHA-256 "
                f"is {digest}. It was deleted; find out whether the file or the checksum is wrong."
            )
        part.replace(path)
        discard(part)
        return path, origin


KINDS.register("url")(Url())
