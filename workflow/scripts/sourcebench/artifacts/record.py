"""What drew a layer: the record that lies beside its array."""

from dataclasses import asdict
from importlib.metadata import version
from typing import Any

import sourcebench
from sourcebench.confounders.base import PixelConfounder


def record_of(confounder: PixelConfounder, layer: str) -> dict[str, Any]:
    """Return what the pixels of a layer depend on, beside the originals.

    Args:
        confounder: what is drawn.
        layer: 'artifact' or 'base'.

    Returns:
        `kind`, `layer`, `parameters` by name, `engine` (see `PixelConfounder.engine`), and the
        `versions` of what computes.

    Raises:
        SourceBenchError: the confounder can't be drawn on this machine.
    """
    packages = {name: version(name) for name in ("numpy", "scipy", "torch")}
    return {
        "kind": confounder.kind,
        "layer": layer,
        "parameters": asdict(confounder),
        "engine": confounder.engine,
        "versions": {"sourcebench": sourcebench.__version__, **packages},
    }
