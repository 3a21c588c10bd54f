"""The outlines of a standard thorax, level by level.

Units: 1 is half the inside width of the chest (about 135 mm). x grows to the patient's left, y to
the back; the level t is 0 at the lungs' apex and 1 at their lowest recess.
"""

import cv2
import numpy as np

from sourcebench.phantoms.canvas import Points, smooth

LEFT, RIGHT = 1, -1
"""The patient's sides, as the sign of x: the patient's left is the image's right."""

SIDES = (RIGHT, LEFT)
LENGTH = 1.85
"""From the apex to the lowest recess, in half widths of the chest."""

_LEVELS = np.array([0.0, 0.06, 0.14, 0.25, 0.38, 0.52, 0.66, 0.80, 1.0])
_APEX = 0.06
# Ten points around the right lung: front of the midline, front, front side, side, back side, back,
# beside the spine's arch, beside the vertebra, hilum, beside the heart.
_RIGHT_LUNG = np.array(
    [
        [
            *((0.31, 0.17), (0.33, 0.16), (0.35, 0.17), (0.36, 0.2), (0.36, 0.23)),
            *((0.34, 0.25), (0.32, 0.25), (0.3, 0.23), (0.3, 0.2), (0.3, 0.18)),
        ],
        [
            *((0.2, -0.08), (0.3, -0.14), (0.43, -0.07), (0.52, 0.1), (0.52, 0.29)),
            *((0.41, 0.44), (0.27, 0.45), (0.19, 0.36), (0.16, 0.22), (0.16, 0.05)),
        ],
        [
            *((0.12, -0.35), (0.3, -0.41), (0.54, -0.29), (0.71, 0.02), (0.69, 0.34)),
            *((0.5, 0.58), (0.28, 0.6), (0.17, 0.42), (0.15, 0.15), (0.14, -0.12)),
        ],
        [
            *((0.05, -0.51), (0.3, -0.57), (0.65, -0.4), (0.88, 0.02), (0.83, 0.38)),
            *((0.58, 0.65), (0.29, 0.69), (0.17, 0.46), (0.16, 0.12), (0.17, -0.2)),
        ],
        [
            *((0.035, -0.6), (0.32, -0.66), (0.73, -0.48), (0.96, 0), (0.9, 0.38)),
            *((0.62, 0.69), (0.3, 0.75), (0.16, 0.5), (0.22, 0.14), (0.2, -0.25)),
        ],
        [
            *((0.035, -0.63), (0.34, -0.7), (0.77, -0.5), (0.99, 0.02), (0.93, 0.4)),
            *((0.64, 0.73), (0.3, 0.78), (0.15, 0.52), (0.22, 0.2), (0.24, -0.18)),
        ],
        [
            *((0.06, -0.64), (0.36, -0.71), (0.79, -0.51), (1, 0.03), (0.94, 0.42)),
            *((0.65, 0.75), (0.3, 0.8), (0.14, 0.54), (0.2, 0.27), (0.28, -0.16)),
        ],
        [
            *((0.1, -0.64), (0.38, -0.71), (0.79, -0.51), (1, 0.04), (0.95, 0.43)),
            *((0.66, 0.76), (0.3, 0.81), (0.14, 0.56), (0.19, 0.32), (0.27, -0.14)),
        ],
        [
            *((0.14, -0.62), (0.38, -0.69), (0.77, -0.5), (0.98, 0.05), (0.94, 0.44)),
            *((0.66, 0.76), (0.3, 0.81), (0.15, 0.57), (0.2, 0.34), (0.26, -0.12)),
        ],
    ]
)
_LEFT_LUNG = _RIGHT_LUNG.copy()
# The left lung makes room for the aorta and the heart: points 0, 1, 7, 8 and 9, level by level.
_LEFT_LUNG[3, 7:] = [(0.22, 0.47), (0.27, 0.16), (0.24, -0.18)]
_LEFT_LUNG[4, 7:] = [(0.23, 0.50), (0.29, 0.22), (0.25, -0.22)]
_LEFT_LUNG[5, [0, 7, 8, 9]] = [(0.10, -0.63), (0.23, 0.52), (0.36, 0.24), (0.48, -0.20)]
_LEFT_LUNG[6, [0, 1, 7, 8, 9]] = [
    *((0.24, -0.62), (0.45, -0.68)),
    *((0.22, 0.54), (0.47, 0.22), (0.63, -0.16)),
]
_LEFT_LUNG[7, [0, 1, 7, 8, 9]] = [
    *((0.28, -0.60), (0.48, -0.67)),
    *((0.22, 0.56), (0.44, 0.28), (0.62, -0.18)),
]
_LEFT_LUNG[8, [0, 7, 8, 9]] = [(0.24, -0.60), (0.20, 0.57), (0.36, 0.32), (0.50, -0.16)]

_LUNGS = {RIGHT: _RIGHT_LUNG, LEFT: _LEFT_LUNG}
_DOME_TOP = {RIGHT: 0.68, LEFT: 0.72}
_DOME_RISE = 0.30
ANGLES = np.linspace(0, 2 * np.pi, 240, endpoint=False)
"""The directions (radians, from the patient's left towards the back) of radial outlines."""


def lung(side: int, t: float) -> Points:
    """Return the closed outline of the space that lung fills above the diaphragm, at 0 ≤ t ≤ 1."""
    t = float(np.clip(t, 0, 1))
    if t < _APEX:  # the apex is round
        t = _APEX * np.sqrt(t / _APEX)
    k = min(int(np.searchsorted(_LEVELS, t, side="right")) - 1, len(_LEVELS) - 2)
    share = (t - _LEVELS[k]) / (_LEVELS[k + 1] - _LEVELS[k])
    points = _LUNGS[side][k] * (1 - share) + _LUNGS[side][k + 1] * share
    # The curve runs through the first points again, so that it closes smoothly.
    around = smooth(np.vstack([points[-1:], points, points[:2]]), 8)[8:-8]
    return np.asarray(around * (side, 1))


def dome(side: int, t: float) -> Points | None:
    """Return the diaphragm's outline at a level (below it is abdomen), or None above its top."""
    depth = min((t - _DOME_TOP[side]) / _DOME_RISE, 1.08)
    if depth <= 0:
        return None
    radius = np.sqrt(depth)
    around = np.stack([0.56 * np.cos(ANGLES), 0.74 * np.sin(ANGLES)], axis=1)
    return np.asarray(radius * around + (side * (0.48 - 0.06 * depth), 0.03 - 0.10 * depth))


def cage(t: float) -> Points:
    """Return, for each of `ANGLES`, how far the inside of the rib cage is from the axis."""
    t = float(np.clip(t, 0.05, 1))
    outline = np.vstack([lung(side, t) for side in SIDES]).astype(np.float32)
    hull = cv2.convexHull(outline)[:, 0].astype(np.float64)
    hull = np.vstack([hull, hull[:1]])
    steps = np.linspace(0, 1, 16, endpoint=False)[None, :, None]
    points = (hull[:-1, None] * (1 - steps) + hull[1:, None] * steps).reshape(-1, 2)
    angle = np.arctan2(points[:, 1], points[:, 0]) % (2 * np.pi)
    order = np.argsort(angle)
    radius = np.hypot(*points[order].T)
    return np.interp(ANGLES, angle[order], radius, period=2 * np.pi) + 0.03


def polar(radius: Points) -> Points:
    """Return the closed outline (N×2) of a radius for each of `ANGLES`."""
    return np.stack([radius * np.cos(ANGLES), radius * np.sin(ANGLES)], axis=1)


_BODY_LEVELS = [-0.35, -0.18, -0.06, 0.06, 0.16, 0.28, 0.45, 0.70, 1.0, 1.4]
_BODY_WIDTH = [0.62, 1.25, 1.48, 1.46, 1.38, 1.28, 1.22, 1.19, 1.17, 1.15]
_BODY_DEPTH = [0.50, 0.58, 0.66, 0.74, 0.82, 0.90, 0.94, 0.95, 0.93, 0.92]


def body(t: float) -> Points:
    """Return, for each of `ANGLES`, how far the muscles reach, arms up."""
    wide, deep = (np.interp(t, _BODY_LEVELS, row) for row in (_BODY_WIDTH, _BODY_DEPTH))
    power = 2.5
    across, along = np.abs(np.cos(ANGLES)) / wide, np.abs(np.sin(ANGLES)) / deep
    ellipse = (across**power + along**power) ** (-1 / power)
    # The back is farther from the axis than the front, but for the furrow over the spine.
    shift = 0.06 * np.sin(ANGLES) - 0.04 * np.exp(-(((ANGLES - np.pi / 2) / 0.12) ** 2))
    inside = 0.09 + cage(t) if t > 0 else 0.0
    return np.asarray(np.maximum(ellipse + shift, inside))


class Level:
    """Both lungs at one level, to ask again and again where a point lies."""

    def __init__(self, t: float) -> None:
        self._lungs = [
            (lung(side, t).astype(np.float32), None if floor is None else floor.astype(np.float32))
            for side in SIDES
            for floor in [dome(side, t)]
        ]

    def depth(self, x: float, y: float) -> float:
        """Return how deep a point lies in a lung, in half widths; negative outside.

        The diaphragm counts as outside.
        """
        return max(
            cv2.pointPolygonTest(outline, (x, y), True)
            if floor is None
            else min(
                cv2.pointPolygonTest(outline, (x, y), True),
                -cv2.pointPolygonTest(floor, (x, y), True),
            )
            for outline, floor in self._lungs
        )
