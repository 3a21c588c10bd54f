"""Spine, ribs, breastbone, collarbones and shoulder blades, as a slice cuts them."""

import numpy as np

from sourcebench.phantoms.canvas import Points, ellipse, smooth, tube
from sourcebench.phantoms.thorax.organs import Person
from sourcebench.phantoms.thorax.plate import Plate
from sourcebench.phantoms.thorax.pose import Pose
from sourcebench.phantoms.thorax.shape import ANGLES, LEFT, LENGTH, RIGHT, cage

_RIBS = 12
_FIRST, _APART = -0.10, 0.098  # level of the first rib at the spine, and between ribs
_VERTEBRA = 0.098  # levels
_DROP = np.array([0.20, 0.30, 0.36, 0.40, 0.44, 0.46, 0.48, 0.48, 0.46, 0.40, 0.26, 0.16])
_REACH = np.array([2.9, 2.95, 3.0, 3.0, 3.0, 3.0, 2.95, 2.7, 2.5, 2.25, 1.5, 0.95])
_RIB_HEIGHT = 0.054  # half widths


def draw_spine(plate: Plate, pose: Pose, person: Person, t: float) -> None:
    """Paint one vertebra, or the disc between two, with its canal and processes."""
    cortex, marrow = 520 * person.bone, 190 * person.bone
    phase = ((t - _FIRST) / _VERTEBRA) % 1  # 0 is a rib's head
    disc = abs(phase - 0.05) < 0.11 or phase > 0.94
    y = float(np.interp(t, [-0.4, 0.0, 0.4, 1.0, 1.4], [0.22, 0.31, 0.43, 0.46, 0.42]))
    size = float(np.interp(t, [-0.4, 0.0, 1.2], [0.62, 0.80, 1.12]))
    body = ellipse(0, y, 0.135 * size, 0.112 * size)
    body[:, 1] = np.where(body[:, 1] > y, y + 0.75 * (body[:, 1] - y), body[:, 1])
    if disc:
        plate.fill(85, pose.mm(body))
    else:
        plate.fill(cortex, pose.mm(body))
        plate.fill(marrow, pose.mm((body - (0, y)) * (0.87, 0.85) + (0, y)))
    back = y + 0.19 * size
    for side in (LEFT, RIGHT):
        if phase < 0.62:  # pedicles and the processes that carry the ribs
            line = smooth(
                [(side * 0.07, y + 0.05), (side * 0.09, back), (side * 0.24, back + 0.06)]
            )
            _bone(plate, pose, line, 0.06 * size, cortex, marrow * 1.5)
        line = smooth([(side * 0.085, back), (side * 0.06, back + 0.06), (0, back + 0.10)])
        _bone(plate, pose, line, 0.045 * size, cortex, marrow * 1.8)
    reach = back + 0.12 + 0.10 * (0.3 + 0.7 * np.sin(np.pi * phase))
    _bone(plate, pose, smooth([(0, back + 0.08), (0, reach)]), 0.055, cortex, marrow * 1.6)
    canal = ellipse(0, back - 0.01, 0.075, 0.068)
    plate.fill(0, pose.mm(canal))
    plate.fill(38, pose.mm((canal - (0, back)) * 0.6 + (0, back)))


def draw_ribs(plate: Plate, pose: Pose, person: Person, t: float) -> None:
    """Paint the ribs' sections.

    Each rib falls from the spine to the front, so that a slice cuts several, obliquely, farther in
    front the higher they start.
    """
    middle = cage(t) + 0.040
    along = np.linspace(0, 1, 160)
    for rib in range(_RIBS):
        angle = 0.30 + (_REACH[rib] - 0.30) * along  # 0 is the spine, pi the breastbone
        start = _FIRST + _APART * rib
        height = start + _DROP[rib] * ((1 - np.cos(angle)) / 4 + angle / (2 * np.pi))
        off = (height - t) * LENGTH / _RIB_HEIGHT
        inside = np.abs(off) < 1
        if not inside.any():
            continue
        for side in (LEFT, RIGHT):
            turn = np.pi / 2 - side * angle  # the back is at 90°
            radius = np.interp(turn % (2 * np.pi), ANGLES, middle, period=2 * np.pi)
            line = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
            for run in np.split(np.arange(160), np.nonzero(np.diff(inside.astype(int)))[0] + 1):
                if not inside[run[0]] or len(run) < 2:
                    continue
                width = 0.062 * np.sqrt(1 - off[run] ** 2)
                if angle[run].mean() > 0.86 * np.pi:  # cartilage
                    plate.fill(110, pose.mm(tube(line[run], width)))
                else:
                    plate.fill(560 * person.bone, pose.mm(tube(line[run], width)))
                    core = np.maximum(width - 0.032, 0.002)
                    plate.fill(210 * person.bone, pose.mm(tube(line[run], core)))


def draw_breastbone(plate: Plate, pose: Pose, person: Person, t: float) -> None:
    """Paint the breastbone and the collarbones' heads beside it."""
    front = -cage(t)[180 * len(ANGLES) // 240]
    if 0.10 < t < 0.72:
        wide = float(
            np.interp(t, [0.10, 0.16, 0.28, 0.34, 0.62, 0.72], [0.17, 0.20, 0.12, 0.11, 0.15, 0.03])
        )
        bone = ellipse(0, front - 0.045, wide, 0.05)
        plate.fill(430 * person.bone, pose.mm(bone))
        plate.fill(
            130 * person.bone,
            pose.mm((bone - (0, front - 0.045)) * (0.87, 0.70) + (0, front - 0.045)),
        )
    if -0.10 < t < 0.13:
        out = float(np.clip((0.13 - t) / 0.2, 0, 1))
        for side in (LEFT, RIGHT):
            x, y = 0.17 + 0.55 * out, -0.44 + 0.10 * out
            line = smooth(
                [(side * (x - 0.08 - 0.1 * out), y), (side * (x + 0.05 + 0.15 * out), y + 0.05)]
            )
            _bone(plate, pose, line, 0.085, 480 * person.bone, 160 * person.bone)


def draw_shoulders(plate: Plate, pose: Pose, person: Person, t: float) -> None:
    """Paint the shoulder blades and, at the top, the upper arms' heads (arms up)."""
    cortex, marrow = 520 * person.bone, 230 * person.bone
    if -0.16 < t < 0.50:
        fade = float(np.clip((0.50 - t) / 0.45, 0.05, 1))
        wall = cage(t)
        for side in (LEFT, RIGHT):
            turn = np.radians(np.array([62, 48, 33, 18]) - 8 * (1 - fade))
            if side == RIGHT:
                turn = np.pi - turn
            radius = np.interp(turn % (2 * np.pi), ANGLES, wall, period=2 * np.pi)
            radius = radius + np.array([0.13, 0.15, 0.17, 0.22])
            line = np.stack([radius * np.cos(turn), radius * np.sin(turn)], axis=1)
            line = smooth(line)[: int(12 + 24 * fade) + 1]
            width = 0.024 + 0.05 * np.linspace(0, 1, len(line)) ** 4 * fade
            plate.fill(cortex, pose.mm(tube(line, width)))
            plate.fill(marrow, pose.mm(tube(line, np.maximum(width - 0.026, 0.001))))
    if t < 0.05:
        size = np.sqrt(1 - ((t + 0.12) / 0.17) ** 2) if abs(t + 0.12) < 0.17 else 0.0
        for side in (LEFT, RIGHT):
            head = ellipse(side * 1.15, 0.12, 0.17 * size + 0.001, 0.17 * size + 0.001)
            plate.fill(cortex, pose.mm(head))
            inner = (head - (side * 1.15, 0.12)) * 0.86 + (side * 1.15, 0.12)
            plate.fill(marrow, pose.mm(inner))


def _bone(
    plate: Plate, pose: Pose, line: Points, width: float, cortex: float, marrow: float
) -> None:
    plate.fill(cortex, pose.mm(tube(line, width)))
    plate.fill(marrow, pose.mm(tube(line, max(width - 0.030, 0.002))))
    for x, y in (line[0], line[-1]):
        plate.fill(cortex, pose.mm(ellipse(x, y, width / 2, width / 2)))
