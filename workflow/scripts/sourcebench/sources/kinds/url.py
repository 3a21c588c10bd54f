"""Weights from an address on the web."""

from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, ClassVar
from urllib.parse import urlsplit

from sourcebench.errors import SourceBenchError
from sourcebench.parameters import parameter
from sourcebench.retrieval.http import discard, fetch
from sourcebench.schemas import Schema
from sourcebench.sources.base import KINDS, Order
from sourcebench.sources.foreign import Foreign

FOLDER = Path("resources/downloads")
ADDRESSES: Schema = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": {
        "type": "string",
        "pattern": "^https?://",
        "description": "an address that begins with http:// or https://",
    },
    "description": "architecture → address",
}


@KINDS.register("url")
@dataclass(frozen=True)
class Url(Foreign):
    """A checkpoint on the web: `{kind: url, urls: {arch: https://…}, sha256: {arch: …}, …}`.

    It is downloaded to `resources/downloads/<source>/` and resumed where it stopped. With a
    checksum it is kept only if it has it; without one what came is taken, and its own stands on the
    card. An archive (`.tar.gz`) is opened: it holds one file of weights.

    Args:
        urls: each architecture's address.
    """

    by_arch: ClassVar[tuple[str, ...]] = (*Foreign.by_arch, "urls")

    urls: dict[str, str] = parameter(
        help="the address of a checkpoint, or of an archive (`.tar.gz`) that holds one",
        schema=ADDRESSES,
    )

    @property
    def covers(self) -> tuple[str, ...]:
        """The architectures that have an address."""
        return tuple(self.urls)

    def name_of(self, arch: str) -> str:
        """Return the name of an architecture's file."""
        return PurePosixPath(urlsplit(self.urls[arch]).path).name

    def locate(self, order: Order) -> tuple[Path, dict[str, Any]]:
        """Return the downloaded file.

        Raises:
            SourceBenchError: it can't be downloaded, or is another file than announced.
        """
        from sourcebench.sources.formats.checkpoints import sha256_of

        expected = self.checksum(order.arch)
        if expected is None and self.sha256 is not None:
            raise SourceBenchError(
                f"sources.{order.name}.sha256 has no checksum for '{order.arch}'; give it one as "
                "well, or leave the key out to take whatever comes."
            )
        url = self.urls[order.arch]
        path = FOLDER / order.name / self.name_of(order.arch)
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
