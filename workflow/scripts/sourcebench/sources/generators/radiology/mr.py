"""MR slices: bias field, Rician noise, and contrasts that depend on the sequence."""

import numpy as np

from sourcebench.sources.generators.base import Grey
from sourcebench.sources.generators.radiology.canvas import Canvas, smooth_noise


def _received(canvas: Canvas) -> Grey:
    """Return the slice as a coil receives it: uneven, and as the magnitude of a noisy signal."""
    rng, size = canvas.rng, canvas.size
    bias = np.exp(rng.uniform(0.1, 0.3) * smooth_noise(rng, size, 2))
    noise = np.float32(rng.uniform(0.015, 0.05)) * rng.standard_normal((2, size, size), np.float32)
    signal = canvas.image * bias
    canvas.image = np.hypot(signal + noise[0], noise[1])
    return canvas.grey()


def brain(rng: np.random.Generator, size: int, lesion: bool) -> Grey:
    """Draw an axial slice, T1- or T2-weighted; a lesion is a tumour with its oedema."""
    canvas = Canvas(rng, size)
    t1 = rng.random() < 0.5
    white, cortex, water = (0.72, 0.5, 0.1) if t1 else (0.35, 0.55, 0.95)
    width, height = rng.uniform(0.66, 0.74), rng.uniform(0.8, 0.88)
    canvas.paint(canvas.ellipse(0, 0, width, height), 0.85 if t1 else 0.6)
    canvas.paint(canvas.ellipse(0, 0, width - 0.05, height - 0.05), 0.06)
    canvas.paint(canvas.ellipse(0, 0, width - 0.1, height - 0.1), water)
    canvas.paint(canvas.ellipse(0, 0, width - 0.12, height - 0.12), cortex)
    # White matter reaches into the gyri: an ellipse whose rim wanders, with sulci between.
    folds = smooth_noise(rng, size, 14)
    radius = np.hypot(canvas.x / (width - 0.15), canvas.y / (height - 0.15))
    core = np.clip((0.86 + 0.13 * folds - radius) * size / 12, 0, 1)
    canvas.paint(core, white)
    sulci = np.clip((radius - 0.72) * 8, 0, 1) * (np.abs(folds) < 0.16) * (radius < 1.02)
    canvas.paint(sulci.astype(np.float32), water)
    canvas.paint(canvas.ellipse(0, -0.5, 0.012, 0.25), water)
    canvas.paint(canvas.ellipse(0, 0.52, 0.012, 0.22), water)
    wide = rng.uniform(0.05, 0.09)
    for side in (-1, 1):
        canvas.paint(canvas.ellipse(side * 0.22, 0.05, 0.11, 0.16, side * 0.3), cortex)
        canvas.paint(canvas.ellipse(side * 0.11, -0.17, wide, 0.17, side * -0.35), water)
        canvas.paint(canvas.ellipse(side * 0.17, 0.28, wide, 0.16, side * 0.45), water)
    if lesion:
        side = rng.choice((-1, 1))
        x, y = side * rng.uniform(0.22, 0.38), rng.uniform(-0.4, 0.4)
        radius = rng.uniform(0.1, 0.17)
        oedema = canvas.ellipse(x, y, radius * 1.6, radius * 1.3, rng.uniform(0, 3), edge=6)
        canvas.paint(oedema, 0.3 if t1 else 0.85)
        canvas.paint(canvas.ellipse(x, y, radius, radius, edge=2), 0.95 if t1 else 0.7)
        canvas.paint(canvas.ellipse(x, y, radius * 0.55, radius * 0.5), 0.2 if t1 else 0.98)
    return _received(canvas)


def knee(rng: np.random.Generator, size: int, lesion: bool) -> Grey:
    """Draw a coronal slice; a lesion is oedema in the marrow and water in the joint."""
    canvas = Canvas(rng, size)
    suppressed = rng.random() < 0.5  # fat-suppressed sequences turn marrow dark and water bright
    fat, marrow, muscle, water = (0.15, 0.3, 0.4, 0.95) if suppressed else (0.85, 0.75, 0.35, 0.3)
    half = rng.uniform(0.68, 0.8)
    canvas.paint(canvas.ellipse(0, 0, half, 1.5), fat)
    canvas.paint(canvas.ellipse(0, 0, half - 0.08, 1.5), muscle)
    joint = rng.uniform(-0.05, 0.1)
    bones = (
        (0.0, joint - 0.95, 0.27, 0.75, 0.0),  # femur: shaft and condyles
        (-0.27, joint - 0.3, 0.27, 0.27, 0.1),
        (0.27, joint - 0.3, 0.27, 0.27, -0.1),
        (0.0, joint + 0.95, 0.25, 0.75, 0.0),  # tibia: shaft and plateau
        (0.0, joint + 0.27, 0.53, 0.2, 0.0),
    )
    for rim, value in ((0.03, 0.05), (0.0, marrow)):  # the dark cortex first, then the marrow
        for x, y, rx, ry, angle in bones:
            canvas.paint(canvas.ellipse(x, y, rx + rim, ry + rim, angle), value)
    canvas.paint(canvas.ellipse(0, joint - 0.1, 0.09, 0.1), fat)
    for side in (-1, 1):
        canvas.paint(canvas.ellipse(side * 0.27, joint + 0.015, 0.24, 0.022), 0.6)
        canvas.paint(canvas.ellipse(side * 0.48, joint + 0.015, 0.09, 0.045), 0.04)
        canvas.paint(canvas.ellipse(side * 0.57, joint, 0.02, 0.4), 0.06)
        canvas.paint(canvas.ellipse(side * 0.05, joint - 0.02, 0.02, 0.12, side * 0.4), 0.1)
    grain = smooth_noise(rng, size, 24)
    canvas.image += np.float32(0.03) * grain * (canvas.image > marrow - 0.1)
    if lesion:
        side, down = rng.choice((-1, 1)), rng.choice((-1, 1))
        x, y = side * rng.uniform(0.2, 0.3), joint + down * rng.uniform(0.2, 0.3)
        radius = rng.uniform(0.13, 0.2)
        canvas.paint(canvas.ellipse(x, y, radius, radius, edge=5), water)
        canvas.paint(canvas.ellipse(-side * 0.58, joint - 0.15, 0.06, 0.2, edge=2), water)
    return _received(canvas)


def spine(rng: np.random.Generator, size: int, lesion: bool) -> Grey:
    """Draw a sagittal slice of the lumbar spine; a lesion is a collapsed vertebra."""
    canvas = Canvas(rng, size, warp=0.02)
    t1 = rng.random() < 0.5
    fat, marrow, disc, water, cord = (
        (0.9, 0.6, 0.3, 0.12, 0.4) if t1 else (0.75, 0.45, 0.7, 0.95, 0.35)
    )
    canvas.image += 0.3 + np.float32(0.05) * smooth_noise(rng, size, 6)
    canvas.paint(np.clip((canvas.x - 0.5) * size / 8, 0, 1), fat)
    canvas.paint(np.clip((canvas.x - 0.85) * size / 4, 0, 1), 0.02)
    bend, phase = rng.uniform(0.06, 0.14), rng.uniform(-0.5, 0.5)
    # Seen along the spine's own curve: what is drawn straight below comes out bent.
    canvas.x = canvas.x - (bend * np.sin(2.2 * canvas.y + phase)).astype(np.float32)
    canvas.paint(canvas.ellipse(0.14, 0, 0.1, 3.0), water)
    canvas.paint(canvas.ellipse(0.13, -0.6, 0.035, 0.8), cord)
    count = 6
    pitch = 2.1 / count
    broken = rng.integers(1, count - 1) if lesion else -1
    for index in range(count):
        y = -1.0 + (index + 0.5) * pitch
        low = index == broken
        tall = pitch * (0.24 if low else 0.39)
        value = (0.2 if t1 else 0.9) if low else marrow
        for rim, level in ((0.02, 0.05), (0.0, value)):
            box = np.maximum(
                np.abs(canvas.x + 0.14) / (0.2 + rim + 0.03 * low),
                np.abs(canvas.y - y) / (tall + rim),
            )
            canvas.paint(np.clip((1 - box) * tall * size / 2 + 0.5, 0, 1), level)
        canvas.paint(canvas.ellipse(-0.14, y + pitch / 2, 0.19, 0.045), disc)
        canvas.paint(canvas.ellipse(0.42, y + 0.1, 0.15, 0.07, 0.4), marrow + 0.05)
    return _received(canvas)
