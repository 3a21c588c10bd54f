"""Findings between lung and chest wall: effusion, pneumothorax, pleural thickening."""

import numpy as np

from sourcebench.phantoms.canvas import Canvas, smooth
from sourcebench.phantoms.radiograph.chest import LEFT, RIGHT, Chest
from sourcebench.phantoms.radiograph.findings.registry import FINDINGS, Place, pick_side


@FINDINGS.register("Effusion")
def effusion(chest: Chest, rng: np.random.Generator, place: Place | None) -> None:
    """Fluid that fills the costophrenic angle: level within, rising along the chest wall."""
    side = pick_side(rng, place)
    both = place is None and rng.uniform() < 0.3
    for each in (LEFT, RIGHT) if both else (side,):
        height = float(np.clip(rng.lognormal(np.log(0.25), 0.4), 0.13, 0.6))
        if place:
            height = max(0.07, chest.down(chest.dome[each]) + 0.20 - (place.y - place.ry))
        _fluid(chest, each, chest.down(chest.dome[each]) + 0.20 - height, height)


def _fluid(chest: Chest, side: int, top: float, height: float) -> None:
    outer = side * 0.80 * chest.width
    rim = [
        (outer, top - 0.08),
        (0.88 * outer, top),
        (0.65 * outer, top + 0.35 * height),
        (0.35 * outer, top + 0.50 * height),
        (0.0, top + 0.48 * height),
    ]
    outline = np.vstack([smooth(rim, 8), [(0.0, top + 1.5), (outer, top + 1.5)]])

    def overlay(canvas: Canvas) -> None:
        shape = canvas.fill(outline, soft=0.022)
        canvas.depth += 0.44 * shape * canvas.air
        canvas.vessels *= 1 - 0.8 * shape

    chest.overlays.append(overlay)


@FINDINGS.register("Pneumothorax")
def pneumothorax(chest: Chest, rng: np.random.Generator, place: Place | None) -> None:
    """Free air around a shrunken lung: a fine line, no vessels beyond it, darker there."""
    side = pick_side(rng, place)
    gap = rng.uniform(0.05, 0.20)
    if place:
        gap = float(np.clip(min(place.rx, place.ry), 0.04, 0.3))
    outline = chest.lung(side)
    centre = np.array([side * 0.18, chest.down(0.15)])
    lift = np.clip((chest.down(0.45) - outline[:, 1]) / 0.9, 0, 1)[:, None]
    edge = outline + (centre - outline) * gap * 1.4 * lift

    def overlay(canvas: Canvas) -> None:
        lung = canvas.fill(edge, soft=0.004)
        free = canvas.air * np.clip(canvas.fill(outline) - lung, 0, 1)
        canvas.vessels *= 1 - free
        canvas.depth -= 0.09 * free
        canvas.depth += 0.03 * lung + 0.05 * canvas.stroke([edge], 0.006, soft=0.003) * canvas.air

    chest.overlays.append(overlay)


@FINDINGS.register("Pleural_Thickening")
def pleural_thickening(chest: Chest, rng: np.random.Generator, place: Place | None) -> None:
    """A band along the chest wall or a cap over an apex."""
    side = pick_side(rng, place)
    outline = chest.lung(side)
    apical = rng.uniform() < 0.5
    high = outline[:, 1] < chest.down(-0.48)
    wall = (np.abs(outline[:, 0]) > 0.5 * chest.width) & ~high
    line = outline[high if apical else wall]
    if place:
        near = np.hypot(outline[:, 0] - place.x, outline[:, 1] - place.y)
        line = outline[np.sort(np.argsort(near)[:24])]
    width, depth = rng.uniform(0.03, 0.06), rng.uniform(0.14, 0.24)

    def overlay(canvas: Canvas) -> None:
        canvas.depth += depth * canvas.stroke([line], 2 * width, soft=0.010) * canvas.air

    chest.overlays.append(overlay)
