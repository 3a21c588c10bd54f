"""Findings that fill the lung: infiltration, consolidation, pneumonia, edema; and fibrosis."""

import numpy as np

from sourcebench.phantoms.canvas import Canvas
from sourcebench.phantoms.radiograph.chest import LEFT, RIGHT, Chest
from sourcebench.phantoms.radiograph.findings.registry import (
    FINDINGS,
    Place,
    blob,
    in_lung,
    pick_side,
)


def _patch(
    chest: Chest,
    rng: np.random.Generator,
    place: Place | None,
    size: float,
    depth: float,
    mottle: float,
) -> None:
    """Append an ill-defined opacity whose inside is uneven by `mottle`."""
    x, y = in_lung(chest, rng, -0.35, 0.36)
    rx, ry = size * rng.uniform(0.8, 1.25, 2)
    if place:
        x, y, rx, ry = place.x, place.y, place.rx, place.ry
    outline = blob(rng, x, y, rx, ry, 0.35)
    soft = 0.25 * min(rx, ry)

    def overlay(canvas: Canvas) -> None:
        shape = canvas.fill(outline, soft=soft)
        uneven = 1 + mottle * canvas.noise(rng, 24, 3)
        canvas.depth += depth * shape * canvas.air * np.clip(uneven, 0, 2)

    chest.overlays.append(overlay)


@FINDINGS.register("Infiltration")
def infiltration(chest: Chest, rng: np.random.Generator, place: Place | None) -> None:
    """One to three faint, mottled, ill-defined patches."""
    for _ in range(1 if place else rng.integers(1, 4)):
        _patch(chest, rng, place, rng.uniform(0.10, 0.22), rng.uniform(0.05, 0.13), 0.5)


@FINDINGS.register("Consolidation")
def consolidation(chest: Chest, rng: np.random.Generator, place: Place | None) -> None:
    """One dense, nearly even patch."""
    _patch(chest, rng, place, rng.uniform(0.13, 0.24), rng.uniform(0.17, 0.30), 0.12)


@FINDINGS.register("Pneumonia")
def pneumonia(chest: Chest, rng: np.random.Generator, place: Place | None) -> None:
    """One or two uneven patches of middling density."""
    for _ in range(1 if place else rng.integers(1, 3)):
        _patch(chest, rng, place, rng.uniform(0.12, 0.22), rng.uniform(0.10, 0.21), 0.3)


@FINDINGS.register("Edema")
def edema(chest: Chest, rng: np.random.Generator, place: Place | None) -> None:
    """Haze around both hila, wide vessels, septal lines along the lower chest wall."""
    chest.vessel *= rng.uniform(1.2, 1.5)
    chest.heart *= rng.uniform(1.0, 1.1)
    depth = rng.uniform(0.09, 0.19)
    wings, lines = [], []
    for side in (LEFT, RIGHT):
        wings.append(blob(rng, side * 0.33, chest.down(0.0), 0.17, 0.26, 0.2))
        outer = side * chest.width * 0.70
        for y in np.arange(0.12, 0.38, 0.035) + rng.uniform(-0.01, 0.01):
            lines.append(
                np.array([(outer, chest.down(y)), (outer - side * 0.07, chest.down(y) - 0.01)])
            )

    def overlay(canvas: Canvas) -> None:
        uneven = np.clip(1 + 0.35 * canvas.noise(rng, 20, 3), 0, 2)
        canvas.depth += depth * canvas.fill(*wings, soft=0.09) * canvas.air * uneven
        canvas.depth += 0.05 * canvas.stroke(lines, 0.006, soft=0.003) * canvas.air

    chest.overlays.append(overlay)


@FINDINGS.register("Fibrosis")
def fibrosis(chest: Chest, rng: np.random.Generator, place: Place | None) -> None:
    """A net of fine strands, at both bases or at an apex, and some loss of volume."""
    basal = rng.uniform() < 0.6
    side = pick_side(rng, place)
    sides = (LEFT, RIGHT) if basal and place is None else (side,)
    for each in sides:
        chest.dome[each] -= rng.uniform(0.0, 0.05)
    strength = rng.uniform(0.05, 0.10)
    strands = []
    for each in sides:
        low, high = (0.05, 0.38) if basal else (-0.62, -0.30)
        for _ in range(46):
            y = rng.uniform(low, high)
            x = each * chest.width * rng.uniform(0.30 if basal else 0.15, 0.68 if basal else 0.45)
            at = np.array([x, chest.down(y)])
            if place:
                at = np.array([place.x, place.y]) + rng.uniform(-1, 1, 2) * (place.rx, place.ry)
            steps = rng.normal(0, 0.018, (5, 2))
            strands.append(at + np.cumsum(steps, axis=0))

    def overlay(canvas: Canvas) -> None:
        net = canvas.stroke(strands, 0.006, soft=0.003)
        canvas.depth += (
            strength * (net + 0.4 * canvas.stroke(strands, 0.03, soft=0.02)) * canvas.air
        )

    chest.overlays.append(overlay)
