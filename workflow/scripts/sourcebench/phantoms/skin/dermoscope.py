"""Procedural dermoscopic images, one per name.

Amounts of pigment and blood are laid on a plate of skin layer by layer; what they absorb decides
the colour (`plate.ABSORBS`). Then comes the clinic: its light, its lens, its habits. Nothing here
is a measured person.
"""

import cv2
import numpy as np

from sourcebench.imaging import Image
from sourcebench.phantoms.canvas import Array
from sourcebench.phantoms.skin.clinics import CLINICS, Clinic
from sourcebench.phantoms.skin.diagnoses import DIAGNOSES
from sourcebench.phantoms.skin.lesion import pigment, place
from sourcebench.phantoms.skin.patient import draw_hair, draw_skin
from sourcebench.phantoms.skin.patient import patient as person_of
from sourcebench.phantoms.skin.plate import Plate, Sheet, step
from sourcebench.phantoms.skin.vascular import STRUCTURES  # with those of both files
from sourcebench.seeds import generator

SIDE = 256
"""Pixels a side, if nothing is said; larger images are drawn at `FINEST` and enlarged."""

FINEST = 288


def render(
    name: str,
    *,
    patient: str,
    diagnosis: str,
    clinic: str,
    lesion: str | None = None,
    side: int = SIDE,
    width: int | None = None,
) -> Image:
    """Draw the image of a lesion: the same arguments give the same pixels.

    Skin and hair follow the patient, the lesion itself `lesion`, its pose, the light, and what
    lies on the skin the image; the clinic decides between which bounds.

    Args:
        name: what names the image, such as 'ISIC_0024306'.
        patient: what names the patient.
        diagnosis: a name out of `DIAGNOSES`: nv, mel, bkl, bcc, akiec, df or vasc.
        clinic: a name out of `CLINICS`.
        lesion: what names the lesion, where there are several images of one; None: the image has a
            lesion of its own.
        side: the image's height, px.
        width: its width, px; None for a square.

    Returns:
        side×width×3, uint8, RGB.

    Raises:
        SourceBenchError: the diagnosis or the clinic is unknown.
    """
    look, kind = CLINICS.get(clinic), DIAGNOSES.get(diagnosis)
    width = width or side
    height = min(side, FINEST)
    plate = Plate(height, round(height * width / side), look.zoom[0])
    person = person_of(generator("phantom", "skin", patient))
    about = generator("phantom", "lesion", lesion or name, diagnosis)
    drawn = kind(about)
    draw_skin(plate, person, about)
    place(plate, drawn, about)
    pigment(plate, drawn, about)
    for structure in STRUCTURES:  # in their order: a veil lies over a network
        if structure in drawn.structures:
            STRUCTURES.get(structure)(plate, drawn, drawn.structures[structure], about)
    shot = generator("phantom", "shot", name)
    light = _posed(plate.colour(), look, shot)
    sheet = Sheet(plate.height, plate.width)
    draw_hair(light, sheet, person, shot)
    return _taken(light, sheet, look, shot, side, width)


def _posed(light: Array, clinic: Clinic, rng: np.random.Generator) -> Array:
    """Turn, shift and magnify the skin under the lens; what is beyond the plate is mirrored."""
    height, width = light.shape[:2]
    turn = 180 * int(rng.integers(0, 2)) + rng.uniform(-12, 12)
    zoom = rng.uniform(*clinic.zoom) / clinic.zoom[0]
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), turn, zoom)
    matrix[:, 2] = matrix[:, 2] + rng.normal(0, 0.05 * height, 2)
    if rng.uniform() < 0.5:
        light = light[:, ::-1]
    turned = cv2.warpAffine(
        light, matrix, (width, height), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REFLECT_101
    )
    return np.asarray(turned, np.float32)


def _taken(
    light: Array, sheet: Sheet, clinic: Clinic, rng: np.random.Generator, side: int, width: int
) -> Image:
    """Take the image: light, lens and sensor."""
    exposure, contrast = rng.uniform(*clinic.exposure), rng.uniform(*clinic.contrast)
    colour, falloff = rng.uniform(*clinic.colour), rng.uniform(*clinic.falloff)
    gains = np.asarray(clinic.gains) * np.exp(0.02 * rng.standard_normal(3)) * exposure
    if rng.uniform() < clinic.bubbles:
        _bubbles(light, sheet, rng)
    far = np.hypot(sheet.x, sheet.y) / np.float32(np.hypot(*sheet.reach))
    lit = (
        1 - np.float32(falloff) * far**2 + 0.03 * (sheet.x * rng.normal() + sheet.y * rng.normal())
    )
    mixed = (1 - colour) * np.tile([0.3, 0.55, 0.15], (3, 1)) + colour * np.eye(3)
    light = np.maximum(cv2.transform(light, mixed.astype(np.float32)), 0, dtype=np.float32)
    light = np.asarray(cv2.pow(light, contrast), np.float32)
    light *= gains.astype(np.float32) * lit[..., None]
    light += np.float32(clinic.glare) * np.maximum(1 - far, 0)[..., None]
    if rng.uniform() < clinic.ruler:
        _ruler(light, sheet, rng)
    blur = rng.uniform(*clinic.blur) * sheet.height / 256
    if blur > 0.3:
        light = np.asarray(cv2.GaussianBlur(light, (0, 0), blur), np.float32)
    if rng.uniform() < clinic.stop:
        centre = rng.normal(0, 0.04, 2)
        away = np.hypot(sheet.x - np.float32(centre[0]), sheet.y - np.float32(centre[1]))
        edge = rng.uniform(*clinic.radius)
        light *= 0.03 + 0.97 * step(away, edge + 0.02, edge - 0.02)[..., None]
    full = np.asarray(light, np.float32) * np.float32(255)
    if full.shape[:2] != (side, width):
        full = np.asarray(
            cv2.resize(full, (width, side), interpolation=cv2.INTER_CUBIC), np.float32
        )
    grain = rng.standard_normal((side, width), np.float32)[..., None]
    full += np.float32(rng.uniform(*clinic.grain)) * grain
    return np.asarray(np.clip(full + 0.5, 0, 255), np.uint8)


def _bubbles(light: Array, sheet: Sheet, rng: np.random.Generator) -> None:
    """Lay bubbles of the immersion's gel over an image, in place: dark rims, bright spots."""
    count = 1 + rng.poisson(6)
    centres = rng.uniform(-1, 1, (count, 2)) * sheet.reach
    radii = rng.gamma(2.0, 0.022, count) + 0.012
    outer = sheet.spots(centres, radii)
    ring = np.maximum(outer - sheet.spots(centres, radii * 0.8), 0)
    shine = sheet.spots(centres - 0.3 * radii[:, None], radii * 0.22, 0.004)
    light *= (1 - 0.22 * ring)[..., None]
    light += 0.10 * outer[..., None] * (1 - light)
    light += 0.8 * shine[..., None] * (1 - light)


def _ruler(light: Array, sheet: Sheet, rng: np.random.Generator) -> None:
    """Print a ruler's ticks along an edge of an image, in place."""
    wide, pitch = sheet.reach[0], rng.uniform(0.07, 0.11)
    at = np.arange(-wide, wide, pitch)
    depth = np.where(np.arange(len(at)) % 5 == 0, 0.17, 0.09)
    edge = rng.uniform(0.9, 0.98)
    ticks = [np.array([[x, edge], [x, edge - d]]) for x, d in zip(at, depth, strict=True)]
    ticks.append(np.array([[-wide, edge], [wide, edge]]))
    mask = sheet.lines(ticks, [0.012] * len(ticks))
    turns = int(rng.integers(0, 4))
    mask = np.rot90(mask, turns if sheet.width == sheet.height else 2 * (turns % 2))
    light += 0.85 * mask[..., None] * (np.float32(0.08) - light)
