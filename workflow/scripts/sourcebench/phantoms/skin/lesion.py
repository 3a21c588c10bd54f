"""A lesion: its shape, its colours, and which structures are to be seen in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from sourcebench.phantoms.skin.plate import Plate, step

_ANGLES = 512


@dataclass(frozen=True)
class Lesion:
    """What a lesion looks like; lengths in units of half the plate's height.

    Attributes:
        radius: mean distance of its border from its centre.
        elongation: 0 for round; 0.3 is half as long again as wide.
        asymmetry: from 0 to 1, how far its halves differ, in shape and in colour.
        irregularity: from 0 to 1, notches of its border.
        softness: width of its border, as a share of its radius.
        melanin, blood, keratin: what it has more of than the skin, optical density.
        variegation: how much its pigment varies from place to place.
        disorder: from 0 to 1, how irregular its structures are.
        structures: name out of `STRUCTURES` → how much there is, about 1.
    """

    radius: float
    elongation: float = 0.1
    asymmetry: float = 0.1
    irregularity: float = 0.1
    softness: float = 0.2
    melanin: float = 0.0
    blood: float = 0.0
    keratin: float = 0.0
    variegation: float = 0.2
    disorder: float = 0.2
    structures: Mapping[str, float] = field(default_factory=dict)


def place(plate: Plate, lesion: Lesion, rng: np.random.Generator) -> None:
    """Find out where a lesion lies on a plate: sets its `rim`, `angle` and `mask`.

    The border is a sum of waves around a circle: one and three make halves that differ, two an
    ellipse, four to eleven notches. It is sharp on one side and soft on the other where the lesion
    is asymmetric.
    """
    angles = np.linspace(-np.pi, np.pi, _ANGLES, endpoint=False)
    border = np.ones(_ANGLES)
    for wave in range(1, 12):
        strength = {1: 0.0, 2: lesion.elongation, 3: 0.20 * lesion.asymmetry}.get(
            wave, 0.36 * lesion.irregularity / wave**0.8
        )
        border += strength * rng.uniform(0.6, 1.2) * np.cos(wave * angles + rng.uniform(-9, 9))
    border *= 1 + 0.10 * rng.uniform(-1, 1) * np.cos(angles)
    border = lesion.radius * np.maximum(border, 0.25)
    away = lesion.asymmetry * 0.12 * rng.standard_normal(2)
    dx, dy = plate.x - np.float32(away[0]), plate.y - np.float32(away[1])
    plate.angle = np.arctan2(dy, dx, dtype=np.float32)
    at = ((plate.angle + np.float32(np.pi)) * np.float32(_ANGLES / (2 * np.pi))).astype(np.int32)
    plate.rim = 1 - np.hypot(dx, dy) / border.astype(np.float32)[at % _ANGLES]
    plate.rim += np.float32(0.05 * (0.4 + lesion.irregularity)) * plate.noise(rng, 9, 2)
    turn = rng.uniform(-np.pi, np.pi)
    width = lesion.softness * (1 + 0.7 * lesion.asymmetry * np.cos(plate.angle - turn))
    plate.mask = step(plate.rim / width.astype(np.float32), -0.35, 0.65)


def pigment(plate: Plate, lesion: Lesion, rng: np.random.Generator) -> None:
    """Lay a lesion's own colours on a plate: uneven, and unlike in its halves if asymmetric."""
    turn = rng.uniform(-np.pi, np.pi)
    side = np.cos(plate.angle - np.float32(turn)) * np.clip(1 - plate.rim, 0, 1)
    uneven = 1 + lesion.variegation * 0.55 * plate.noise(rng, 4, 4)
    uneven += np.float32(0.75 * lesion.asymmetry * lesion.variegation) * side
    uneven *= 0.8 + 0.3 * step(plate.rim, 0.0, 0.8)
    inside = plate.mask * np.maximum(uneven, 0.12)
    plate.layers["melanin"] += np.float32(lesion.melanin) * inside
    plate.layers["blood"] += (
        np.float32(lesion.blood) * plate.mask * np.maximum(1 + 0.35 * plate.noise(rng, 5, 3), 0.2)
    )
    plate.layers["keratin"] += np.float32(lesion.keratin) * plate.mask
