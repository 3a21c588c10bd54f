"""Weights from a file of the user's."""

from pathlib import Path
from typing import ClassVar

from sourcebench.errors import SourceBenchError
from sourcebench.sources.base import (
    KINDS,
    STRING,
    Kind,
    Normalisation,
    Order,
    Schema,
    Supply,
    triple,
)

CHANNELS: Schema = {
    "type": "array",
    "minItems": 3,
    "maxItems": 3,
    "items": {"type": "number"},
    "description": "three numbers, for images scaled to [0, 1]",
}
CHECKSUM: Schema = {"type": "string", "pattern": "^[0-9a-fA-F]{64}$"}


class File(Kind):
    """A checkpoint on disk: `{kind: file, path: "weights/{arch}.pth", mean: […], std: […]}`.

    `archs` limits it to some architectures, `rename` maps prefixes of tensor names (for all
    architectures, or `{arch: {old: new}}`), `sha256` is checked, `help` tells where to get the
    file, `licence` and `citation` go on the card.
    """

    properties: ClassVar[Schema] = {
        "path": STRING,
        "mean": CHANNELS,
        "std": {**CHANNELS, "items": {"type": "number", "exclusiveMinimum": 0}},
        "sha256": {"oneOf": [CHECKSUM, {"type": "object", "additionalProperties": CHECKSUM}]},
        "rename": {
            "type": "object",
            "additionalProperties": {
                "oneOf": [STRING, {"type": "object", "additionalProperties": STRING}]
            },
        },
        "help": STRING,
    }
    required = ("path", "mean", "std")

    def supply(self, order: Order) -> Supply:
        """Return the tensors of the file, under the architecture's own names.

        Raises:
            SourceBenchError: the file is missing, has another checksum, is no checkpoint that can
                be read safely, or belongs to another architecture.
        """
        from sourcebench.sources.checkpoints import fit, read, sha256_of

        spec, arch = order.spec, order.arch
        path = Path(spec["path"].replace("{arch}", arch))
        if not path.is_file():
            hint = spec.get("help") or f"Put it there, or correct sources.{order.name}.path."
            raise SourceBenchError(
                f"Source '{order.name}' has no file of weights for '{arch}': looked for "
                f"{path.absolute()}. {hint}"
            )
        digest = sha256_of(path)
        expected = spec.get("sha256")
        if isinstance(expected, dict):
            expected = expected.get(arch)
        if expected and digest != expected.lower():
            raise SourceBenchError(
                f"{path} is not the file that sources.{order.name}.sha256 announces: its SHA-256 "
                f"is {digest}. Fetch it again, or correct the checksum."
            )
        rename = spec.get("rename") or {}
        if any(isinstance(new, dict) for new in rename.values()):
            rename = rename.get(arch, {})
        return Supply(
            tensors=fit(read(path), order.backbone, rename, what=str(path), arch=arch),
            normalisation=Normalisation(triple(spec["mean"]), triple(spec["std"])),
            origin={"path": str(path)},
            sha256=digest,
            licence=spec.get("licence"),
            citation=spec.get("citation"),
        )


KINDS.register("file")(File())
