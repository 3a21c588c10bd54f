"""Structures of melanocytic and keratotic lesions: a function each, by its name."""

from collections.abc import Callable

import numpy as np

from sourcebench.phantoms.canvas import Array, Points, smooth
from sourcebench.phantoms.skin.lesion import Lesion
from sourcebench.phantoms.skin.plate import Plate, step
from sourcebench.registry import Registry

Draw = Callable[[Plate, Lesion, float, np.random.Generator], None]
STRUCTURES: Registry[Draw] = Registry("structure of a skin lesion")
"""Name → function of the plate, the lesion, an amount about 1, and random numbers."""


def scattered(
    lesion: Lesion, count: int, rng: np.random.Generator, inner: float = 0.0, outer: float = 0.85
) -> Points:
    """Return places in a lesion, count×2; the more disorder, the more of them in one part of it.

    Args:
        lesion: the lesion.
        count: how many.
        rng: where the numbers come from.
        inner: nearest to the centre, as a share of the radius.
        outer: farthest from it.
    """
    away = np.sqrt(rng.uniform(inner**2, outer**2, count)) * lesion.radius
    spread = np.pi * (1 - 0.65 * lesion.disorder)
    angle = rng.uniform(-np.pi, np.pi) + rng.uniform(-spread, spread, count)
    return np.stack([away * np.cos(angle), away * np.sin(angle)], axis=1)


def patch(plate: Plate, lesion: Lesion, size: float, rng: np.random.Generator) -> Array:
    """Return the mask of an uneven patch off a lesion's centre, of a share of its radius."""
    x, y = scattered(lesion, 1, rng, 0.1, 0.55)[0]
    far = np.hypot(plate.x - np.float32(x), plate.y - np.float32(y)) / (size * lesion.radius)
    return step(far + 0.30 * plate.noise(rng, 5, 3), 1.5, 0.3) * plate.mask


@STRUCTURES.register("network")
def network(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Draw a pigment network: a brown honeycomb, warped and with gaps by disorder."""
    pitch = rng.uniform(0.060, 0.085) * (1 + 0.45 * lesion.disorder)
    warp = 0.020 + 0.035 * lesion.disorder
    turn = rng.uniform(0, np.pi)
    x = plate.x + np.float32(warp) * plate.noise(rng, 6, 2)
    y = plate.y + np.float32(warp) * plate.noise(rng, 6, 2)
    wave = 4 * np.pi / (np.sqrt(3) * pitch)
    comb = sum(
        np.cos(np.float32(wave * np.cos(turn + k)) * x + np.float32(wave * np.sin(turn + k)) * y)
        for k in (0, np.pi / 3, 2 * np.pi / 3)
    )
    mesh = step(
        np.asarray(comb, np.float32) + 0.5 * lesion.disorder * plate.noise(rng, 8, 2), 0.6, -0.9
    )
    where = step(plate.rim, -0.02, 0.15) * step(plate.rim, 1.0, 0.35)
    if lesion.disorder > 0.45:
        where = where * step(plate.noise(rng, 4, 2), -0.5, 0.5)
    plate.layers["melanin"] += np.float32(0.42 * amount) * where * mesh


@STRUCTURES.register("globules")
def globules(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Draw round brown globules, of one size and all over the lesion where there is order."""
    count = rng.poisson(45 * amount)
    radii = rng.uniform(0.012, 0.020, count) * np.exp(
        0.5 * lesion.disorder * rng.standard_normal(count)
    )
    spots = plate.spots(scattered(lesion, count, rng, 0.0, 0.95), radii, soft=0.006)
    plate.layers["melanin"] += np.float32(0.75) * spots


@STRUCTURES.register("dots")
def dots(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Draw black dots, towards the border where there is disorder."""
    count = rng.poisson(35 * amount)
    centres = scattered(lesion, count, rng, 0.7 * lesion.disorder, 1.02)
    plate.layers["melanin"] += 1.3 * plate.spots(centres, rng.uniform(0.006, 0.011, count), 0.004)


@STRUCTURES.register("streaks")
def streaks(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Draw dark streaks that run outwards at the border, on one side of it."""
    turn, count = rng.uniform(-np.pi, np.pi), rng.poisson(16 * amount)
    lines, widths = [], []
    for angle in turn + rng.normal(0, 0.7, count):
        ends = lesion.radius * np.array([rng.uniform(0.68, 0.85), rng.uniform(0.98, 1.22)])
        bend = angle + np.array([0, rng.normal(0, 0.06)])
        lines.append(np.stack([ends * np.cos(bend), ends * np.sin(bend)], axis=1))
        widths.append(rng.uniform(0.014, 0.026))
    plate.layers["melanin"] += 0.9 * plate.lines(lines, widths, soft=0.007)


@STRUCTURES.register("blotches")
def blotches(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Lay dark brown or black blotches off the centre."""
    for _ in range(1 + rng.poisson(1.3 * amount)):
        where = patch(plate, lesion, rng.uniform(0.22, 0.5), rng)
        plate.layers["melanin"] += np.float32(rng.uniform(0.6, 1.3)) * where


@STRUCTURES.register("veil")
def veil(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Lay a blue-white veil over a part without structure."""
    where = patch(plate, lesion, rng.uniform(0.45, 0.8), rng)
    plate.layers["deep"] += np.float32(0.55 * amount) * where
    plate.layers["veil"] = np.maximum(
        plate.layers["veil"], np.float32(0.55 * min(amount, 1.2)) * where
    )


@STRUCTURES.register("regression")
def regression(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Bleach a part to scar-like white, and pepper it with blue-grey dots."""
    where = patch(plate, lesion, rng.uniform(0.35, 0.65), rng)
    plate.layers["melanin"] *= 1 - np.float32(0.7 * min(amount, 1.0)) * where
    plate.layers["white"] = np.maximum(plate.layers["white"], np.float32(0.45 * amount) * where)
    count = rng.poisson(60 * amount)
    pepper = plate.spots(scattered(lesion, count, rng), rng.uniform(0.005, 0.010, count), 0.003)
    plate.layers["deep"] += 0.9 * pepper * where


@STRUCTURES.register("cysts")
def cysts(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Draw milia-like cysts: small, round, white to yellow, bright."""
    count = 2 + rng.poisson(9 * amount)
    spots = plate.spots(scattered(lesion, count, rng), rng.uniform(0.014, 0.030, count), 0.008)
    plate.layers["scale"] = np.maximum(plate.layers["scale"], 0.75 * spots * plate.mask)


@STRUCTURES.register("plugs")
def plugs(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Draw comedo-like openings: round, brown to black, sharp."""
    count = 1 + rng.poisson(8 * amount)
    spots = plate.spots(scattered(lesion, count, rng), rng.uniform(0.018, 0.038, count), 0.006)
    plate.layers["melanin"] += np.float32(0.95) * spots * plate.mask
    plate.layers["keratin"] += np.float32(0.6) * spots * plate.mask


@STRUCTURES.register("ridges")
def ridges(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Draw the furrows and ridges of a keratosis' surface, as on a brain."""
    furrow = step(np.abs(plate.noise(rng, 8, 2)), 0.22, 0.0)
    plate.layers["melanin"] += np.float32(0.6 * amount) * furrow * plate.mask
    plate.layers["keratin"] += np.float32(0.3 * amount) * furrow * plate.mask


@STRUCTURES.register("scar")
def scar(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Lay a white, starry scar on the centre, as a dermatofibroma has it."""
    rays = 0.12 * np.cos(np.float32(rng.integers(5, 9)) * plate.angle)
    core = step(plate.rim + 0.08 * plate.noise(rng, 8, 2) + rays, 0.35, 0.75)
    plate.layers["white"] = np.maximum(plate.layers["white"], np.float32(0.72 * amount) * core)


@STRUCTURES.register("fingerprint")
def fingerprint(plate: Plate, lesion: Lesion, amount: float, rng: np.random.Generator) -> None:
    """Draw the thin parallel brown lines of a solar lentigo."""
    warped = plate.noise(rng, 3, 2)
    turn = rng.uniform(0, np.pi)
    along = np.float32(np.cos(turn)) * plate.x + np.float32(np.sin(turn)) * plate.y
    lines = np.cos(np.float32(70.0) * (along + 0.10 * warped))
    plate.layers["melanin"] += np.float32(0.13 * amount) * step(lines, -0.2, 1.0) * plate.mask


def curl(
    start: Points, heading: float, length: float, rng: np.random.Generator, wind: float = 0.38
) -> Points:
    """Return a line that winds.

    Args:
        start: where it starts, 2 numbers.
        heading: its direction there, radians.
        length: its length.
        rng: where the numbers come from.
        wind: how much it turns from one quarter to the next, radians.
    """
    pieces = 4
    turns = heading + np.cumsum(rng.normal(0, wind, pieces))
    moves = length / pieces * np.stack([np.cos(turns), np.sin(turns)], axis=1)
    return smooth(np.vstack([start, start + np.cumsum(moves, axis=0)]), 4)
