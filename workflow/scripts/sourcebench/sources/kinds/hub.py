"""Weights from a file of a repository on the Hugging Face hub."""

from pathlib import Path
from typing import Any, ClassVar

from sourcebench.sources.base import KINDS, STRING, Order, Schema, Specification
from sourcebench.sources.foreign import Foreign, choices
from sourcebench.sources.hub import refusal


class Hub(Foreign):
    """A file on the hub: `{kind: hub, repo: microsoft/rad-dino, files: {vit_base: …}, …}`.

    For repositories that timm can't load by itself (for those, see kind `timm`). `revision` pins a
    commit. The client's cache is used, and its login where a licence has to be accepted.
    """

    properties: ClassVar[Schema] = Foreign.properties | {
        "repo": {"type": "string", "pattern": "^[^/ ]+/[^/ ]+$"},
        "revision": STRING,
        "files": {"type": "object", "minProperties": 1, "additionalProperties": STRING},
    }
    required = (*Foreign.required, "repo", "files")
    by_arch = (*Foreign.by_arch, "files")

    def archs(self, spec: Specification) -> tuple[str, ...] | None:
        """Return the architectures that have a file."""
        return tuple(spec["files"])

    def locate(self, order: Order) -> tuple[Path, dict[str, Any]]:
        """Return the file in the hub's cache, downloaded if it is not there.

        Raises:
            SourceBenchError: the hub and its cache do not have it, or it wants a login.
        """
        import huggingface_hub

        spec = order.spec
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


KINDS.register("hub")(Hub())
