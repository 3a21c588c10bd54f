"""Findings that change the shape of things: a lung, the heart, the mediastinum."""

import numpy as np

from sourcebench.phantoms.canvas import Canvas, smooth, tube
from sourcebench.phantoms.radiograph.chest import LEFT, RIGHT, Chest
from sourcebench.phantoms.radiograph.findings.registry import FINDINGS, Place, pick_side


@FINDINGS.register("Atelectasis")
def atelectasis(chest: Chest, rng: np.random.Generator, place: Place | None) -> None:
    """A plate or a wedge of airless lung; its dome rises and the mediastinum moves towards it."""
    side = pick_side(rng, place)
    loss = rng.uniform(0.45, 1.1)
    chest.dome[side] -= 0.10 * loss
    chest.shift += side * 0.05 * loss
    chest.lucency[-side] *= 1 + 0.04 * loss
    base = chest.down(chest.dome[side])
    if rng.uniform() < 0.55:
        _plates(chest, rng, side, base, place)
    else:
        _wedge(chest, rng, side, base, place)


def _plates(
    chest: Chest, rng: np.random.Generator, side: int, base: float, place: Place | None
) -> None:
    slope, bands = side * rng.uniform(-0.5, 0.25), []
    for _ in range(rng.integers(1, 4)):
        x, y = side * rng.uniform(0.32, 0.46), base - rng.uniform(0.04, 0.24)
        half, rise = rng.uniform(0.10, 0.21), slope + rng.normal(0, 0.08)
        if place:
            x, y, half = place.x, place.y + place.ry * rng.uniform(-0.5, 0.5), 0.9 * place.rx
        ends = [(x - half, y - half * rise), (x, y - 0.015), (x + half, y + half * rise)]
        line = smooth(ends, 8)
        taper = np.sin(np.linspace(0.15, np.pi - 0.15, len(line))) ** 0.7
        bands.append(tube(line, rng.uniform(0.025, 0.055) * taper))
    depth = rng.uniform(0.17, 0.30)

    def overlay(canvas: Canvas) -> None:
        shape = canvas.fill(*bands, soft=0.009)
        haze = canvas.fill(*bands, soft=0.04)
        canvas.depth += depth * (shape + 0.6 * haze) * canvas.air

    chest.overlays.append(overlay)


def _wedge(
    chest: Chest, rng: np.random.Generator, side: int, base: float, place: Place | None
) -> None:
    tip = (side * 0.17, chest.down(-0.02))
    spread = rng.uniform(0.10, 0.24)
    x = side * rng.uniform(0.28, 0.44)
    far = [(x - side * spread, base + 0.12), (x + side * spread, base + 0.06)]
    if place:
        tip = (place.x - side * place.rx, place.y - place.ry)
        far = [
            (place.x - side * place.rx, place.y + place.ry),
            (place.x + side * place.rx, place.y + place.ry),
        ]
    outline = np.array([tip, *far])
    depth = rng.uniform(0.18, 0.34)

    def overlay(canvas: Canvas) -> None:
        canvas.depth += depth * canvas.fill(outline, soft=0.02) * canvas.air
        canvas.vessels *= 1 - 0.5 * canvas.fill(outline, soft=0.02)

    chest.overlays.append(overlay)


@FINDINGS.register("Cardiomegaly")
def cardiomegaly(chest: Chest, rng: np.random.Generator, place: Place | None) -> None:
    """A heart wider than half the thorax; a box sets how wide."""
    factor = rng.uniform(1.22, 1.5)
    if place:
        factor = float(np.clip(place.rx / 0.30, 1.1, 1.7))
    chest.heart *= factor


@FINDINGS.register("Enlarged Cardiomediastinum")
def enlarged_cardiomediastinum(chest: Chest, rng: np.random.Generator, place: Place | None) -> None:
    """A wide upper mediastinum under a large aortic knob; the heart is little larger."""
    much = rng.uniform(0.6, 1.2)
    chest.unfold += 0.11 * much
    chest.knob += 0.055 * much
    chest.heart *= 1 + 0.08 * much


@FINDINGS.register("Emphysema")
def emphysema(chest: Chest, rng: np.random.Generator, place: Place | None) -> None:
    """Too much air: dark long lungs, flat domes, a narrow heart, few vessels."""
    much = rng.uniform(0.5, 1.0)
    chest.flat = max(chest.flat, 0.6 * much)
    for side in (LEFT, RIGHT):
        chest.dome[side] += 0.09 * much
        chest.lucency[side] *= 1 + 0.13 * much
    chest.heart *= 1 - 0.12 * much
    chest.vessel *= 1 - 0.3 * much
