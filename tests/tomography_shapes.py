"""Shapes whose line integrals are known, on an image of 129² px."""

import numpy as np

SIDE = 129
X, Y = np.arange(SIDE) - (SIDE - 1) / 2, (SIDE - 1) / 2 - np.arange(SIDE)[:, None]
"""Of pixels' centres, in px from the image's centre, y pointing up."""


def blob(x, y, sigma):
    """A smooth bump of 20 per metre."""
    return 20 * np.exp(-((X - x) ** 2 + (Y - y) ** 2) / (2 * sigma**2))


def ellipse(x, y, width, height, fine=8):
    """An ellipse of 20 per metre; pixels at its edge hold the share that it covers."""
    steps = (np.arange(fine) + 0.5) / fine - 0.5
    inside = [
        np.hypot((X - x + dx) / width, (Y - y + dy) / height) <= 1 for dx in steps for dy in steps
    ]
    return 20 * np.mean(inside, axis=0)


def disc(x, y, radius):
    return ellipse(x, y, radius, radius)


def slice_of_a_chest(side):
    """Grey levels of a body with lungs and a spine in air, edges softened over about 2 px."""
    x = (np.arange(side) - (side - 1) / 2) / side
    y = x[:, None]

    def soft(x0, y0, width, height):
        distance = (np.hypot((x - x0) / width, (y - y0) / height) - 1) * min(width, height)
        return 1 / (1 + np.exp(np.clip(distance * side, -50, 50)))

    hu = -990 + 1030 * soft(0, 0, 0.45, 0.33) + 250 * soft(0, 0.2, 0.05, 0.05)
    hu = hu - 880 * (soft(-0.2, 0, 0.15, 0.22) + soft(0.2, 0, 0.15, 0.22))
    return ((hu + 1200) * 255 / 2000).astype(np.uint8)
