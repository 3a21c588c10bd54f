"""The findings' registry, and what every finding draws with."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sourcebench.phantoms.canvas import Points
from sourcebench.phantoms.radiograph.chest import LEFT, RIGHT, Chest
from sourcebench.registry import Registry


@dataclass(frozen=True)
class Place:
    """A marked spot in body coordinates: centre (x, y) and half-axes."""

    x: float
    y: float
    rx: float
    ry: float

    @property
    def side(self) -> int:
        """The patient's side it lies on, as the sign of x."""
        return LEFT if self.x > 0 else RIGHT


Draw = Callable[[Chest, np.random.Generator, Place | None], None]

FINDINGS: Registry[Draw] = Registry("finding")
"""Each entry changes a chest's measures or appends an overlay, from its own seed, at a place if
one is given."""


def pick_side(rng: np.random.Generator, place: Place | None) -> int:
    """Return the marked side, or one at random."""
    drawn = int(rng.choice((LEFT, RIGHT)))
    return place.side if place else drawn


def in_lung(chest: Chest, rng: np.random.Generator, low: float = -0.5, high: float = 0.3) -> Points:
    """Return a random point in a lung, clear of the heart: heights between `low` and `high`."""
    y = rng.uniform(low, high)
    side = int(rng.choice((LEFT, RIGHT)))
    outer = chest.width * np.interp(y, [-0.6, -0.3, 0.0, 0.3], [0.34, 0.53, 0.62, 0.64])
    inner = np.interp(y, [-0.6, -0.1, 0.3], [0.20, 0.24, 0.46 if side == LEFT else 0.28])
    return np.array([side * rng.uniform(inner, outer), chest.down(y)])


def blob(
    rng: np.random.Generator, x: float, y: float, rx: float, ry: float, rough: float
) -> Points:
    """Return an irregular round outline: harmonics 2 to 6 of relative size `rough`."""
    t = np.linspace(0, 2 * np.pi, 48, endpoint=False)
    k = np.arange(2, 7)[:, None]
    waves = np.cos(k * t + rng.uniform(0, 2 * np.pi, k.shape)) * rng.normal(0, 1, k.shape) / k
    radius = 1 + rough * waves.sum(axis=0)
    return np.stack([x + rx * radius * np.cos(t), y + ry * radius * np.sin(t)], axis=1)
