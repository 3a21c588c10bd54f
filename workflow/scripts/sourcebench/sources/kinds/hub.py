"""Weights from a file of a repository on the Hugging Face hub."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sourcebench.parameters import parameter
from sourcebench.schemas import Schema
from sourcebench.sources.base import KINDS, STRING, Order
from sourcebench.sources.foreign import Foreign
from sourcebench.sources.hub import refusal
from sourcebench.sources.identity import content_of

REPOSITORY: Schema = {
    "type": "string",
    "pattern": "^[^/ ]+/[^/ ]+$",
    "description": "organisation/name",
}
FILES: Schema = {
    "type": "object",
    "minProperties": 1,
    "additionalProperties": STRING,
    "description": "architecture → file",
}


@KINDS.register("hub")
@dataclass(frozen=True)
class Hub(Foreign):
    """A file on the hub: `{kind: hub, repo: microsoft/rad-dino, files: {vit_base: …}, …}`.

    For repositories that timm can't load by itself (for those, see kind `timm`). The client's cache
    is used, and its login where a licence has to be accepted.

    Args:
        repo: the repository, `organisation/name`.
        revision: a commit, tag or branch of it; None: its main one.
        path: a folder of one's own copies: a file that is there, under the same name, goes before
            the hub's.
        files: the name of each architecture's file.
    """

    by_arch: ClassVar[tuple[str, ...]] = (*Foreign.by_arch, "files")

    repo: str = parameter(help="the repository", schema=REPOSITORY)
    revision: str | None = parameter(None, help="a commit, tag or branch; else its main one")
    path: str | None = parameter(
        None, help="a folder of your own copies, which go before the hub's"
    )
    files: dict[str, str] = parameter(help="the files in the repository", schema=FILES)

    @property
    def covers(self) -> tuple[str, ...]:
        """The architectures that have a file."""
        return tuple(self.files)

    def name_of(self, arch: str) -> str:
        """Return the name of an architecture's file."""
        return self.files[arch]

    def fingerprint(self, arch: str) -> Any:
        """Return the SHA-256 of one's own copy; nothing for the hub's, or one with `sha256`."""
        own = self._own(arch)
        return content_of(own) if own and not self.checksum(arch) else None

    def locate(self, order: Order) -> tuple[Path, dict[str, Any]]:
        """Return one's own copy of the file, or that in the hub's cache, downloaded if need be.

        Raises:
            SourceBenchError: the hub and its cache do not have it, or it wants a login.
        """
        import huggingface_hub

        if own := self._own(order.arch):
            return own, {"path": str(own)}
        name = self.files[order.arch]
        try:
            path = huggingface_hub.hf_hub_download(self.repo, name, revision=self.revision)
        except OSError as error:
            raise refusal(error, order.name, self.repo, gated=self.gated) from error
        # In the cache a file lies under the commit it belongs to.
        return Path(path), {"repo": self.repo, "file": name, "commit": Path(path).parent.name}

    def _own(self, arch: str) -> Path | None:
        """Return one's own copy of an architecture's file, if there is one."""
        if self.path is None:
            return None
        path = Path(self.path).expanduser() / self.files[arch]
        return path if path.is_file() else None
