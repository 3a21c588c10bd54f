"""Weights from a file of a repository on the Hugging Face hub."""

from pathlib import Path
from typing import Any, ClassVar

from sourcebench.sources.base import KINDS, STRING, Order, Schema, Specification
from sourcebench.sources.foreign import Foreign, checksum, choices
from sourcebench.sources.hub import refusal
from sourcebench.sources.identity import state_of


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

    def archs(self, spec: Specification) -> tuple[str, ...] | None:
        """Return the architectures that have a file."""
        return tuple(spec["files"])

    def name_of(self, spec: Specification, arch: str) -> str:
        """Return the name of an architecture's file."""
        return choices(spec, arch)[0]

    def fingerprint(self, spec: Specification, arch: str) -> Any:
        """Return the state of one's own copy; nothing for the hub's, or with a checksum."""
        own = _own(spec, arch)
        return state_of(own) if own and not checksum(spec, arch) else None

    def locate(self, order: Order) -> tuple[Path, dict[str, Any]]:
        """Return one's own copy of the file, or that in the hub's cache, downloaded if need be.

        Raises:
            SourceBenchError: the hub and its cache do not have it, or it wants a login.
        """
        import huggingface_hub

        spec = order.spec
        if own := _own(spec, order.arch):
            return own, {"path": str(own)}
        (name,) = choices(spec, order.arch)
        try:
            path = huggingface_hub.hf_hub_download(
                spec["repo"], name, revision=spec.get("revision")
            )
        except OSError as error:
            gated = spec.get("gated", False)
            raise refusal(error, order.name, spec["repo"], gated=gated) from error
        # In the cache a file lies under the commit it belongs to.
        return Path(path), {"repo": spec["repo"], "file": name, "commit": Path(path).parent.name}


def _own(spec: Specification, arch: str) -> Path | None:
    """Return one's own copy of an architecture's file, if there is one."""
    if "path" not in spec:
        return None
    path = Path(spec["path"]).expanduser() / choices(spec, arch)[0]
    return path if path.is_file() else None


KINDS.register("hub")(Hub())
