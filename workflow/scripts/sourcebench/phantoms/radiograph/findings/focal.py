"""Round findings: mass, nodule, hernia."""

import numpy as np

from sourcebench.phantoms.canvas import MM, Canvas, Points, ellipse
from sourcebench.phantoms.radiograph.chest import Chest
from sourcebench.phantoms.radiograph.findings.registry import FINDINGS, Place, blob, in_lung


def _opacity(chest: Chest, outline: Points, radius: float, depth: float, soft: float) -> None:
    def overlay(canvas: Canvas) -> None:
        shape = canvas.relief(outline, radius=radius, soft=soft)
        canvas.depth += depth * shape * (0.35 + 0.65 * canvas.air)

    chest.overlays.append(overlay)


@FINDINGS.register("Mass")
def mass(chest: Chest, rng: np.random.Generator, place: Place | None) -> None:
    """A blurred, slightly irregular blob of 30 to 90 mm."""
    radius = MM * np.clip(rng.lognormal(np.log(26), 0.28), 15, 45)
    x, y = in_lung(chest, rng)
    rx, ry = radius * rng.uniform(0.85, 1.15, 2)
    if place:
        x, y, rx, ry = place.x, place.y, place.rx, place.ry
    outline = blob(rng, x, y, rx, ry, 0.22)
    depth = rng.uniform(0.24, 0.46)
    _opacity(chest, outline, 0.9 * min(rx, ry), depth, rng.uniform(0.010, 0.03))


@FINDINGS.register("Nodule")
def nodule(chest: Chest, rng: np.random.Generator, place: Place | None) -> None:
    """One to three spots of 10 to 30 mm."""
    for _ in range(1 if place else 1 + rng.binomial(2, 0.25)):
        radius = MM * rng.uniform(5, 15)
        x, y = in_lung(chest, rng)
        rx, ry = radius, radius * rng.uniform(0.85, 1.15)
        if place:
            x, y, rx, ry = place.x, place.y, place.rx, place.ry
        outline = blob(rng, x, y, rx, ry, 0.15)
        _opacity(chest, outline, min(rx, ry), rng.uniform(0.14, 0.26), 0.008)


@FINDINGS.register("Hernia")
def hernia(chest: Chest, rng: np.random.Generator, place: Place | None) -> None:
    """A part of the stomach behind the heart: a round shadow with a bubble over a level."""
    size = rng.uniform(0.10, 0.17)
    x, y = rng.uniform(-0.02, 0.14), chest.down(0.34)
    if place:
        x, y, size = place.x, place.y, max(place.rx, place.ry)
    sac = ellipse(x, y, 1.15 * size, size)
    bubble = ellipse(x, y - 0.1 * size, 0.85 * size, 0.75 * size)
    bubble[:, 1] = np.minimum(bubble[:, 1], y + 0.05 * size)

    def overlay(canvas: Canvas) -> None:
        canvas.depth += 0.20 * canvas.relief(sac, radius=size, soft=0.012)
        canvas.depth -= 0.34 * canvas.fill(bubble, soft=0.012)

    chest.overlays.append(overlay)
