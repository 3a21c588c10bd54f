"""What drew a layer: the record that lies beside its array."""

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import sourcebench
from sourcebench.artifacts.base import Artifact


def record_of(artifact: Artifact, layer: str) -> dict[str, Any]:
    """Return what the pixels of a layer depend on, beside the originals.

    Args:
        artifact: what is drawn.
        layer: 'artifact' or 'base'.

    Returns:
        `kind`, `layer`, `parameters` by name, `engine` (see `Artifact.engine`), and the
        `versions` of what computes.

    Raises:
        SourceBenchError: the artifact can't be drawn on this machine.
    """
    computing = ("numpy", "scipy", "torch", "opencv-python-headless", "pillow")
    packages = {name: version(name) for name in computing}
    return {
        "kind": artifact.kind,
        "layer": layer,
        "parameters": asdict(artifact),
        "engine": artifact.engine,
        "versions": {"sourcebench": sourcebench.__version__, **packages},
    }
