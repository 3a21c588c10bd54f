"""A patient's skin and hair, alike in all images of a patient."""

from dataclasses import dataclass

import cv2
import numpy as np

from sourcebench.phantoms.canvas import Array, Points
from sourcebench.phantoms.skin.plate import Plate, Sheet, step
from sourcebench.phantoms.skin.structures import curl


@dataclass(frozen=True)
class Patient:
    """A person's skin.

    Attributes:
        melanin, blood: of the skin, optical density.
        sun: freckles and other spots of the sun, about 1.
        hair: mean number of hairs in an image.
        thick: a hair's width, in units of half the plate's height.
        shade: RGB of the hair, from 0 to 1.
    """

    melanin: float
    blood: float
    sun: float
    hair: float
    thick: float
    shade: tuple[float, float, float]


_SHADES = ((0.10, 0.07, 0.06), (0.20, 0.13, 0.09), (0.42, 0.30, 0.18), (0.55, 0.52, 0.50))


def patient(rng: np.random.Generator) -> Patient:
    """Return a person; most are fair, as in the datasets that the phantoms stand for."""
    return Patient(
        melanin=float(np.clip(rng.gamma(3.0, 0.06), 0.05, 0.7)),
        blood=float(np.clip(rng.normal(0.13, 0.06), 0.02, 0.4)),
        sun=float(rng.exponential(0.35)),
        hair=float(rng.choice([0.0, 3.0, 16.0], p=[0.45, 0.3, 0.25])),
        thick=rng.uniform(0.008, 0.015),
        shade=_SHADES[int(rng.integers(0, len(_SHADES)))],
    )


def draw_skin(plate: Plate, person: Patient, rng: np.random.Generator) -> None:
    """Fill a plate with a person's skin: tone, blotches, fine lines, pores, spots of the sun."""
    fine = plate.noise(rng, 40, 2)
    plate.layers["melanin"] += np.float32(person.melanin) * (
        1 + 0.10 * plate.noise(rng, 4, 3) + 0.05 * fine
    )
    plate.layers["melanin"] += np.float32(0.035) * step(np.abs(plate.noise(rng, 26, 1)), 0.25, 0.0)
    plate.layers["blood"] += np.float32(person.blood) * np.maximum(
        1 + 0.22 * plate.noise(rng, 5, 4) + 0.06 * fine, 0.1
    )
    count = rng.poisson(7 * person.sun)
    centres = rng.uniform(-1, 1, (count, 2)) * plate.reach
    spots = plate.spots(centres, rng.uniform(0.02, 0.07, count), soft=0.02)
    plate.layers["melanin"] += np.float32(rng.uniform(0.08, 0.25)) * spots


def draw_hair(light: Array, sheet: Sheet, person: Patient, rng: np.random.Generator) -> None:
    """Lay a person's hairs over an image, height×width×3, in place; they lean in one direction."""
    count = min(int(rng.poisson(person.hair)), 40)
    if not count:
        return
    heading = rng.uniform(0, 2 * np.pi)
    lines: list[Points] = []
    for _ in range(count):
        start = rng.uniform(-1.2, 1.2, 2) * sheet.reach
        lines.append(curl(start, heading + rng.normal(0, 0.35), rng.uniform(0.6, 2.2), rng, 0.14))
    widths = list(person.thick * rng.uniform(0.6, 1.2, count))
    mask = sheet.lines(lines, widths, soft=0.003)
    shadow = np.asarray(cv2.GaussianBlur(mask, (0, 0), 1.5), np.float32)
    light *= (1 - 0.18 * shadow)[..., None]
    light += 0.9 * mask[..., None] * (np.asarray(person.shade, np.float32) - light)
