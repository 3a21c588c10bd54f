"""Findings of the bones: a broken rib."""

import numpy as np

from sourcebench.phantoms.canvas import Canvas, ellipse
from sourcebench.phantoms.radiograph.chest import Chest
from sourcebench.phantoms.radiograph.findings.registry import FINDINGS, Place, pick_side


@FINDINGS.register("Fracture")
def fracture(chest: Chest, rng: np.random.Generator, place: Place | None) -> None:
    """One to three ribs above each other, each with a dark gap in a bright callus."""
    side = pick_side(rng, place)
    first, along = int(rng.integers(3, 8)), rng.uniform(0.7, 1.1)
    knots, gaps = [], []
    for k in range(first, first + int(rng.integers(1, 4))):
        x, y = chest.rib(k, side, np.array([along + rng.normal(0, 0.06)]))[0]
        if place:
            x, y = place.x, place.y + (k - first) * 0.126 * chest.height
        knots.append(ellipse(x, y, rng.uniform(0.034, 0.046), rng.uniform(0.030, 0.038)))
        lean = rng.normal(0, 0.012)
        gaps.append(np.array([(x - lean, y - 0.034), (x + lean, y + 0.034)]))

    def overlay(canvas: Canvas) -> None:
        canvas.depth += 0.19 * chest.bone * canvas.fill(*knots, soft=0.010)
        canvas.depth -= 0.15 * chest.bone * canvas.stroke(gaps, 0.012, soft=0.004)

    chest.overlays.append(overlay)
