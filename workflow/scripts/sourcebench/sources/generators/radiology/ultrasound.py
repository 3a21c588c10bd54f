"""Ultrasound: multiplicative speckle along the beams, attenuation, shadows."""

import cv2
import numpy as np

from sourcebench.sources.generators.base import Field, Grey
from sourcebench.sources.generators.radiology.canvas import Canvas, smooth_noise


def _speckle(rng: np.random.Generator, size: int) -> Field:
    """Return speckle in the beams' own coordinates (depth × beam): Rayleigh, mean 1."""
    wave = rng.standard_normal((2, size, size), np.float32)
    parts = [cv2.GaussianBlur(part, (0, 0), sigmaX=1.6, sigmaY=0.7) for part in wave]
    amplitude = np.hypot(*parts)
    return np.asarray(amplitude / amplitude.mean(), np.float32)


def _compressed(echo: Field) -> Field:
    """Return echoes as a screen shows them: logarithmic, 40 dB from black to white."""
    decibel = 20 * np.log10(np.maximum(echo, 1e-3))
    return np.asarray(np.clip(1 + decibel / 40, 0, 1), np.float32)


def liver(rng: np.random.Generator, size: int, lesion: bool) -> Grey:
    """Draw a sector of the liver; a lesion is a bright or a dark nodule."""
    canvas = Canvas(rng, size, turn=0.0)
    canvas.image += np.float32(0.16) * np.exp(np.float32(0.15) * smooth_noise(rng, size, 6))
    for _ in range(rng.integers(3, 6)):
        x, y = rng.uniform(-0.45, 0.45), rng.uniform(-0.3, 0.5)
        long, thick = rng.uniform(0.08, 0.2), rng.uniform(0.025, 0.05)
        angle = rng.uniform(0, np.pi)
        canvas.paint(canvas.ellipse(x, y, long + 0.02, thick + 0.02, angle), 0.3)
        canvas.paint(canvas.ellipse(x, y, long, thick, angle), 0.012)
    arc = rng.uniform(0.55, 0.75)
    diaphragm = canvas.ellipse(0, -0.6, 1.4, arc + 0.66) - canvas.ellipse(0, -0.6, 1.4, arc + 0.6)
    canvas.paint(np.clip(diaphragm, 0, 1), 0.9)
    beyond = 1 - canvas.ellipse(0, -0.6, 1.4, arc + 0.66)
    canvas.paint(beyond, 0.07)
    if lesion:
        x, y = rng.uniform(-0.3, 0.3), rng.uniform(-0.25, 0.3)
        radius = rng.uniform(0.13, 0.2)
        bright = rng.random() < 0.5
        nodule = canvas.ellipse(x, y, radius, radius * rng.uniform(0.8, 1.1), edge=2)
        canvas.paint(nodule, 0.7 if bright else 0.02)
        behind = (np.abs(canvas.x - x) < radius * 0.8) & (canvas.y > y + radius) & (beyond < 0.5)
        canvas.image *= np.where(behind, 0.5 if bright else 1.8, 1).astype(np.float32)
    # A curved probe at the top: beams fan out from a point above the image.
    apex = rng.uniform(-1.35, -1.2)
    axis = np.linspace(-1, 1, size, dtype=np.float32)
    depth = np.hypot(axis, axis[:, None] - np.float32(apex))
    beam = np.arctan2(axis, axis[:, None] - np.float32(apex)).astype(np.float32)
    nearest, opening = -0.9 - apex, rng.uniform(0.5, 0.62)
    rows = (depth - nearest) / 1.95 * size
    columns = (beam / opening + 1) / 2 * size
    speckle = cv2.remap(
        _speckle(rng, size), columns.astype(np.float32), rows.astype(np.float32), cv2.INTER_LINEAR
    )
    fade = np.exp(-rng.uniform(0.3, 0.8) * np.clip(depth - nearest, 0, None)).astype(np.float32)
    seen = (np.abs(beam) < opening) & (depth > nearest) & (depth < nearest + 1.8)
    canvas.image = _compressed(canvas.image * speckle * fade) * seen
    return canvas.grey()


def thyroid(rng: np.random.Generator, size: int, lesion: bool) -> Grey:
    """Draw a transverse view of the neck with a linear probe; a lesion is a nodule in a lobe."""
    canvas = Canvas(rng, size, turn=0.03)
    canvas.image += np.float32(0.06)
    for depth, value in ((-0.97, 0.9), (-0.84, 0.12), (-0.66, 0.5), (-0.6, 0.08), (-0.4, 0.4)):
        canvas.paint(np.clip((canvas.y - depth) * size / 3, 0, 1), value)
    canvas.paint(np.clip((canvas.y + 0.36) * size / 3, 0, 1), 0.1)
    fibres = smooth_noise(rng, size, 5)
    streaks = np.sin(canvas.y * 60 + 2 * fibres).astype(np.float32)
    canvas.image *= 1 + np.float32(0.35) * streaks
    for side in (-1, 1):
        lobe = canvas.ellipse(side * 0.42, -0.02, rng.uniform(0.26, 0.32), 0.3, side * 0.2)
        canvas.paint(lobe, 0.3)
        canvas.paint(canvas.ellipse(side * 0.84, 0.05, 0.13, 0.13), 0.3)
        canvas.paint(canvas.ellipse(side * 0.84, 0.05, 0.11, 0.11), 0.008)
    canvas.paint(canvas.ellipse(0, -0.17, 0.3, 0.06), 0.3)
    # The trachea: a bright front wall, and air that no beam crosses.
    canvas.paint(canvas.ellipse(0, 0.2, 0.25, 0.3), 0.5)
    canvas.paint(canvas.ellipse(0, 0.23, 0.23, 0.29), 0.02)
    shadow = (np.abs(canvas.x) < 0.22) & (canvas.y > 0.2)
    canvas.image *= np.where(shadow, 0.15, 1).astype(np.float32)
    if lesion:
        side = rng.choice((-1, 1))
        x, y = side * rng.uniform(0.36, 0.48), rng.uniform(-0.1, 0.08)
        radius = rng.uniform(0.11, 0.18)
        canvas.paint(canvas.ellipse(x, y, radius + 0.025, radius + 0.025), 0.08)
        canvas.paint(canvas.ellipse(x, y, radius, radius), rng.choice((0.02, 0.8)))
    fade = np.exp(-np.float32(rng.uniform(0.3, 0.9)) * (canvas.y + 1))
    canvas.image = _compressed(np.maximum(canvas.image, 0) * fade * _speckle(rng, size))
    return canvas.grey()
