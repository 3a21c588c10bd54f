"""What cells look like: by their type, and by what an siRNA does to them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from sourcebench.errors import SourceBenchError
from sourcebench.phantoms.canvas import Array
from sourcebench.seeds import generator

UNTREATED = "EMPTY"
"""The siRNA of wells that got none."""

SPECIFIC = 0.35
"""An siRNA's effect that only one cell type shows, as a share of what all show."""


@dataclass(frozen=True)
class Look:
    """What the cells of a well look like; lengths in px of a field of 512.

    Attributes:
        count: cells in a field.
        nucleus: radius of a nucleus.
        body: radius of a cell.
        elongation: its longer axis over its shorter.
        clumping: odds that a cell lies in a colony.
        fibres: how strong stress fibres are beside the cell's cortex.
        nucleoli: in a nucleus.
        dividing: odds that a cell divides: it is round, small and bright.
        intensity: of each stain, 1 for the mean of all cells.
        texture: how strongly each stain varies within a cell, likewise.
    """

    count: float
    nucleus: float
    body: float
    elongation: float
    clumping: float
    fibres: float
    nucleoli: float
    dividing: float
    intensity: Array
    texture: Array


def _stains(*values: float) -> Array:
    return np.array(values, np.float32)


CELL_TYPES = {
    "HEPG2": Look(
        58, 9.5, 18, 1.15, 4.0, 0.3, 3.0, 0.04,
        _stains(1.0, 1.2, 0.8, 1.1, 1.2, 0.8), _stains(1.0, 0.8, 0.8, 1.0, 1.1, 1.2),
    ),
    "HUVEC": Look(
        42, 10.5, 28, 1.45, 0.3, 0.8, 3.0, 0.03,
        _stains(1.0, 1.0, 1.0, 1.0, 1.0, 1.0), _stains(1.0, 1.0, 1.0, 1.0, 1.0, 1.0),
    ),
    "RPE": Look(
        46, 10.0, 26, 1.95, 0.4, 1.3, 2.5, 0.04,
        _stains(0.9, 1.1, 1.3, 0.9, 0.9, 1.1), _stains(0.9, 1.1, 1.2, 0.9, 1.0, 0.9),
    ),
    "U2OS": Look(
        34, 12.5, 32, 1.3, 0.5, 1.0, 4.5, 0.05,
        _stains(1.1, 0.9, 1.1, 1.3, 0.8, 0.9), _stains(1.1, 1.0, 1.1, 1.2, 0.9, 1.0),
    ),
}  # fmt: skip
"""RxRx1's four; its nuclei have about 21 px across, its cells about 53."""

_EFFECTS = {
    "count": 0.18, "nucleus": 0.07, "body": 0.09, "elongation": 0.11, "clumping": 0.4,
    "fibres": 0.3, "nucleoli": 0.2, "dividing": 0.3, "intensity": 0.15, "texture": 0.18,
}  # fmt: skip
"""Standard deviation over siRNAs of the logarithm of each measure's change."""

_BETWEEN_WELLS = {
    "count": 0.22, "nucleus": 0.03, "body": 0.06, "clumping": 0.3, "fibres": 0.2,
    "intensity": 0.13, "texture": 0.12,
}  # fmt: skip
"""Standard deviation over wells treated alike."""


def look(cell_type: str, sirna: str, well: str) -> Look:
    """Return what the cells of a well look like.

    Args:
        cell_type: one of `CELL_TYPES`.
        sirna: its name decides what it does: a little less or more of each measure, mostly the same
            to all cell types. `UNTREATED` does nothing.
        well: its name, unique; wells that are treated alike differ a little.

    Raises:
        SourceBenchError: an unknown cell type.
    """
    if cell_type not in CELL_TYPES:
        raise SourceBenchError(
            f"There is no cell type '{cell_type}'; it must be one of {', '.join(CELL_TYPES)}."
        )
    found = CELL_TYPES[cell_type]
    if sirna != UNTREATED:
        common = generator("phantom", "sirna", sirna)
        own = generator("phantom", "sirna", sirna, cell_type)
        strength = common.uniform(0.6, 1.4)
        found = _changed(found, _EFFECTS, common, strength)
        found = _changed(found, _EFFECTS, own, strength * SPECIFIC)
    return _changed(found, _BETWEEN_WELLS, generator("phantom", "well", well), 1.0)


def _changed(
    found: Look, deviations: Mapping[str, float], rng: np.random.Generator, strength: float
) -> Look:
    """Return a look with its measures changed by chance, as factors around 1."""
    changes: dict[str, Any] = {}
    for name, deviation in deviations.items():
        value = getattr(found, name)
        factor = np.exp(strength * deviation * rng.standard_normal(np.shape(value)))
        single = isinstance(value, float | int)
        changes[name] = float(value * factor) if single else (value * factor).astype(np.float32)
    changes["elongation"] = max(1.0, changes.get("elongation", found.elongation))
    return replace(found, **changes)
