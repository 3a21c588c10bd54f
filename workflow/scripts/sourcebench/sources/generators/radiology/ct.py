"""Axial CT slices, already windowed: 0 is the window's lower end, 1 the upper one."""

import cv2
import numpy as np

from sourcebench.sources.generators.base import Field, Grey
from sourcebench.sources.generators.radiology.canvas import Canvas


def _reconstructed(canvas: Canvas) -> Grey:
    """Return the slice with the noise of filtered back-projection: blue, and a few streaks."""
    rng, size = canvas.rng, canvas.size
    noise = rng.standard_normal((size, size), np.float32)
    noise -= cv2.GaussianBlur(noise, (0, 0), 2.0)
    angle = rng.uniform(0, np.pi)
    streaks = np.sin(
        (canvas.x * np.cos(angle) + canvas.y * np.sin(angle)) * rng.uniform(40, 70)
    ).astype(np.float32)
    image = cv2.GaussianBlur(canvas.image, (0, 0), rng.uniform(0.4, 0.8))
    canvas.image = np.asarray(image, np.float32)
    return canvas.grey(noise * np.float32(rng.uniform(0.02, 0.06)) + 0.008 * streaks)


def _trunk(canvas: Canvas, muscle: float, fat: float) -> tuple[Field, float, float]:
    """Paint table, skin, fat, muscle and spine; return the cavity's mask and half axes."""
    rng = canvas.rng
    width, height = rng.uniform(0.8, 0.92), rng.uniform(0.58, 0.7)
    table = canvas.ellipse(0, 0.1, 1.3, 0.78) - canvas.ellipse(0, 0.06, 1.3, 0.78)
    canvas.paint(np.clip(table, 0, 1) * (canvas.y > 0.4), 0.45)
    rind = rng.uniform(0.04, 0.12)
    canvas.paint(canvas.ellipse(0, 0, width, height), fat + 0.15)
    canvas.paint(canvas.ellipse(0, 0, width - 0.02, height - 0.02), fat)
    canvas.paint(canvas.ellipse(0, 0, width - rind, height - rind), muscle)
    across, down = width - rind - 0.1, height - rind - 0.08
    return canvas.ellipse(0, -0.03, across, down), across, down


def _spine(canvas: Canvas, y: float) -> None:
    canvas.paint(canvas.ellipse(0, y, 0.12, 0.1), 0.95)
    canvas.paint(canvas.ellipse(0, y, 0.09, 0.075), 0.8)
    for side in (-1, 1):
        canvas.paint(canvas.ellipse(side * 0.13, y + 0.15, 0.1, 0.03, side * 0.5), 0.9)
    canvas.paint(canvas.ellipse(0, y + 0.22, 0.025, 0.1), 0.9)
    canvas.paint(canvas.ellipse(0, y + 0.14, 0.055, 0.045), 0.5)


def chest(rng: np.random.Generator, size: int, lesion: bool) -> Grey:
    """Draw a slice through the lungs; a lesion is a nodule or mass in one of them."""
    canvas = Canvas(rng, size)
    cavity, across, down = _trunk(canvas, muscle=0.62, fat=0.42)
    for turn in np.linspace(0, 2 * np.pi, rng.integers(11, 15), endpoint=False):
        x, y = (across + 0.04) * np.cos(turn), (down + 0.03) * np.sin(turn) - 0.03
        tangent = np.arctan2(down * np.cos(turn), -across * np.sin(turn))
        canvas.paint(canvas.ellipse(x, y, 0.1, 0.025, tangent), 0.95)
    lungs = np.zeros_like(cavity)
    for side in (-1, 1):
        lung = canvas.ellipse(side * 0.4 * across / 0.7, -0.02, 0.5 * across, down * 0.95)
        lungs = np.maximum(lungs, lung * cavity)
    heart_x = rng.uniform(0.08, 0.16)
    middle = canvas.ellipse(0, -0.15, 0.15, 0.42)
    heart = canvas.ellipse(heart_x, -0.16, 0.3, rng.uniform(0.18, 0.26), 0.4)
    lungs *= (1 - middle) * (1 - heart)
    air = rng.uniform(0.08, 0.16)
    canvas.paint(lungs, air)
    for _ in range(26):  # vessels, thinner towards the rind
        x, y = rng.uniform(-0.65, 0.65), rng.uniform(-0.45, 0.45)
        root = np.hypot(abs(x) - 0.15, y)
        thick = max(0.05 - 0.06 * root, 0.012)
        long = thick * rng.uniform(1, 4)
        vessel = canvas.ellipse(x, y, long, thick, np.arctan2(y, x) + rng.normal(0, 0.4))
        canvas.paint(vessel * lungs, rng.uniform(0.45, 0.65))
    _spine(canvas, down * 0.72)
    canvas.paint(canvas.ellipse(0.16, down * 0.55, 0.07, 0.07), 0.68)
    canvas.paint(canvas.ellipse(0, -0.1, 0.045, 0.04), air)
    canvas.paint(canvas.ellipse(0, -down + 0.02, 0.1, 0.03), 0.95)
    if lesion:
        side = rng.choice((-1, 1))
        radius = rng.uniform(0.07, 0.15)
        x, y = side * rng.uniform(0.36, 0.5), rng.uniform(-0.25, 0.2)
        nodule = canvas.ellipse(x, y, radius, radius * rng.uniform(0.8, 1.2), edge=2)
        canvas.paint(nodule, rng.uniform(0.55, 0.72))
    return _reconstructed(canvas)


def abdomen(rng: np.random.Generator, size: int, lesion: bool) -> Grey:
    """Draw a slice at the height of the liver; a lesion is a dark spot or two in the liver."""
    canvas = Canvas(rng, size)
    cavity, across, down = _trunk(canvas, muscle=0.55, fat=0.2)
    canvas.paint(cavity, 0.22)
    for _ in range(7):  # bowel
        x, y = rng.uniform(-0.1, 0.45), rng.uniform(-0.4, 0.15)
        radius = rng.uniform(0.06, 0.11)
        canvas.paint(canvas.ellipse(x, y, radius, radius) * cavity, 0.55)
        canvas.paint(canvas.ellipse(x, y, radius * 0.6, radius * 0.6), rng.choice((0.02, 0.45)))
    parenchyma = rng.uniform(0.6, 0.7)
    liver = canvas.ellipse(-0.38, -0.08, 0.4, 0.4, 0.3, edge=1.5) * cavity
    liver = np.maximum(liver, canvas.ellipse(-0.08, -0.26, 0.3, 0.16, 0.25) * cavity)
    canvas.paint(liver, parenchyma)
    for _ in range(5):  # hepatic veins
        x, y = rng.uniform(-0.55, -0.1), rng.uniform(-0.3, 0.15)
        vein = canvas.ellipse(x, y, 0.08, 0.015, rng.uniform(0, np.pi))
        canvas.paint(vein * liver, parenchyma + 0.12)
    canvas.paint(canvas.ellipse(0.58 * across / 0.7, 0.1, 0.13, 0.22, -0.3) * cavity, 0.66)
    canvas.paint(canvas.ellipse(0.3, -0.28, 0.18, 0.11, -0.3) * cavity, 0.48)
    canvas.paint(canvas.ellipse(0.3, -0.33, 0.12, 0.045), 0.0)
    for side in (-1, 1):
        x = side * rng.uniform(0.28, 0.36)
        canvas.paint(canvas.ellipse(x, 0.25, 0.11, 0.13, side * 0.3), 0.82)
        canvas.paint(canvas.ellipse(x - side * 0.03, 0.25, 0.05, 0.06), 0.4)
    _spine(canvas, down * 0.66)
    canvas.paint(canvas.ellipse(0.07, down * 0.66 - 0.17, 0.06, 0.06), 0.85)
    canvas.paint(canvas.ellipse(-0.1, down * 0.66 - 0.17, 0.05, 0.04), 0.75)
    if lesion:
        for _ in range(rng.integers(1, 3)):
            x, y = rng.uniform(-0.55, -0.25), rng.uniform(-0.25, 0.1)
            radius = rng.uniform(0.07, 0.14)
            spot = canvas.ellipse(x, y, radius, radius * rng.uniform(0.8, 1.2), edge=2)
            canvas.paint(spot * liver, parenchyma - rng.uniform(0.2, 0.35))
    return _reconstructed(canvas)
