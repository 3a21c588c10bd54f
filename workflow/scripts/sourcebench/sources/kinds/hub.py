"""Weights from a file of a repository on the Hugging Face hub."""

from pathlib import Path
from typing import Any, ClassVar

from sourcebench.sources.base import KINDS, STRING, Entry, Order, Schema
from sourcebench.sources.foreign import Foreign, checksum, choices
from sourcebench.sources.hub import refusal
from sourcebench.sources.identity import content_of


class Hub(Foreign):
    """A file on the hub: `{kind: hub, repo: microsoft/rad-dino, files: {vit_base: …}, …}`.

    For repositories that timm can't load by itself (for those, see kind `timm`). `revision` pins a
    commit. The client's cache is used, and its login where a licence has to be accepted. `path` is
    a folder of one's own copies: a file that is there, under the same name, goes before the hub's.
    """

    properties: ClassVar[Schema] = Foreign.properties | {
        "repo": {"type": "string", "pattern": "^[^/ ]+/[^/ ]+$"},
        "revision": STRING,
        "path": STRING,
        "files": {"type": "object", "minProperties": 1, "additionalProperties": STRING},
    }
    required = (*Foreign.required, "repo", "files")
    by_arch = (*Foreign.by_arch, "files")

    def archs(self, entry: Entry) -> tuple[str, ...] | None:
        """Return the architectures that have a file."""
        return tuple(entry["files"])

    def name_of(self, entry: Entry, arch: str) -> str:
        """Return the name of an architecture's file."""
        return choices(entry, arch)[0]

    def fingerprint(self, entry: Entry, arch: str) -> Any:
        """Return the SHA-256 of one's own copy; nothing for the hub's, or one with `sha256`."""
        own = _own(entry, arch)
        return content_of(own) if own and not checksum(entry, arch) else None

    def locate(self, order: Order) -> tuple[Path, dict[str, Any]]:
        """Return one's own copy of the file, or that in the hub's cache, downloaded if need be.

        Raises:
            SourceBenchError: the hub and its cache do not have it, or it wants a login.
        """
        import huggingface_hub

        entry = order.entry
        if own := _own(entry, order.arch):
            return own, {"path": str(own)}
        (name,) = choices(entry, order.arch)
        try:
            path = huggingface_hub.hf_hub_download(
                entry["repo"], name, revision=entry.get("revision")
            )
        except OSError as error:
            gated = entry.get("gated", False)
            raise refusal(error, order.name, entry["repo"], gated=gated) from error
        # In the cache a file lies under the commit it belongs to.
        return Path(path), {"repo": entry["repo"], "file": name, "commit": Path(path).parent.name}


def _own(entry: Entry, arch: str) -> Path | None:
    """Return one's own copy of an architecture's file, if there is one."""
    if "path" not in entry:
        return None
    path = Path(entry["path"]).expanduser() / choices(entry, arch)[0]
    return path if path.is_file() else None


KINDS.register("hub")(Hub())
