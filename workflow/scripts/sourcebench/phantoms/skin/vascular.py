"""Structures of vessels and of their loss: trees, dots, lagoons, ulcers, nests, scale."""

import numpy as np

from sourcebench.phantoms.canvas import Points, ellipse
from sourcebench.phantoms.skin.lesion import Lesion
from sourcebench.phantoms.skin.plate import Plate, step
from sourcebench.phantoms.skin.structures import STRUCTURES, curl, patch, scattered

__all__ = ["STRUCTURES"]


@STRUCTURES.register("trees")
def trees(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Draw arborising vessels: sharp, bright red, branching to ever thinner twigs."""
    lines: list[Points] = []
    widths: list[float] = []
    for _ in range(1 + rng.poisson(1.6 * amount)):
        angle = rng.uniform(-np.pi, np.pi)
        root = lesion.radius * rng.uniform(0.6, 1.0) * np.array([np.cos(angle), np.sin(angle)])
        _branch(
            root, angle + np.pi + rng.normal(0, 0.4), 0.8 * lesion.radius, 0.017, lines, widths, rng
        )
    plate.layers["blood"] += np.float32(1.4) * plate.lines(lines, widths, soft=0.004)


def _branch(
    start: Points,
    heading: float,
    length: float,
    width: float,
    lines: list[Points],
    widths: list[float],
    rng: np.random.Generator,
) -> None:
    """Append a vessel and those that leave it, each shorter and thinner."""
    line = curl(start, heading, length, rng)
    lines.append(line)
    widths.append(width)
    if width < 0.007:
        return
    for _ in range(2 + int(rng.integers(0, 2))):
        at = int(rng.integers(len(line) // 3, len(line)))
        side = rng.choice([-1, 1]) * rng.uniform(0.4, 1.1)
        _branch(line[at], heading + side, length * 0.6, width * 0.62, lines, widths, rng)


@STRUCTURES.register("coils")
def coils(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Draw dotted or coiled vessels in clusters."""
    count = rng.poisson(55 * amount)
    spots = plate.spots(scattered(lesion, count, rng), rng.uniform(0.009, 0.016, count), 0.004)
    plate.layers["blood"] += np.float32(1.5) * spots * plate.mask


@STRUCTURES.register("lagoons")
def lagoons(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Draw round red to purple lagoons, parted by paler septa."""
    count = 10 + rng.poisson(22 * amount)
    centres = scattered(lesion, count, rng, 0.0, 0.9)
    spots = plate.spots(centres, rng.uniform(0.05, 0.11, count) * lesion.radius / 0.5, 0.012)
    purple = rng.uniform(0.1, 1.0)
    plate.layers["blood"] += np.float32(1.9) * spots
    plate.layers["deep"] += np.float32(0.8 * purple) * spots * step(plate.rim, 0.1, 0.6)


@STRUCTURES.register("ulcer")
def ulcer(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Draw an ulcer: raw and red, with a crust of dried blood."""
    where = patch(plate, lesion, rng.uniform(0.25, 0.4), rng)
    crust = where * step(plate.noise(rng, 12, 2), 0.2, 0.9)
    plate.layers["blood"] += np.float32(1.5 * amount) * where
    plate.layers["keratin"] += np.float32(0.8 * amount) * crust
    plate.layers["melanin"] += np.float32(0.7 * amount) * crust


@STRUCTURES.register("nests")
def nests(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Draw blue-grey ovoid nests, and leaves at the border."""
    for _ in range(2 + rng.poisson(3.5 * amount)):
        x, y = scattered(lesion, 1, rng, 0.35, 0.95)[0]
        long = rng.uniform(0.05, 0.12)
        outline = ellipse(x, y, long, long * rng.uniform(0.5, 0.8), rng.uniform(0, np.pi))
        plate.layers["deep"] += np.float32(rng.uniform(0.4, 0.9)) * plate.fill(outline, 0.022)


@STRUCTURES.register("strawberry")
def strawberry(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Draw a red net around pale follicles with yellow plugs."""
    count = 50 + rng.poisson(25)
    centres = scattered(lesion, count, rng, 0.0, 1.05)
    radii = rng.uniform(0.024, 0.036, count)
    hollow = plate.spots(centres, radii, 0.010)
    plate.layers["blood"] += np.float32(0.55 * amount) * plate.mask
    plate.layers["blood"] *= 1 - 0.65 * hollow
    plate.layers["scale"] = np.maximum(
        plate.layers["scale"], 0.5 * amount * plate.spots(centres, radii * 0.4, 0.006)
    )


@STRUCTURES.register("flakes")
def flakes(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Lay flakes of white to yellow scale on the surface."""
    rough = plate.noise(rng, 9, 4)
    where = step(rough, 1.15 - 0.8 * amount, 1.5) * step(plate.rim, -0.05, 0.25)
    plate.layers["scale"] = np.maximum(plate.layers["scale"], np.float32(0.7) * where)
