"""Mediastinum, heart, great vessels, airways and the upper abdomen, as a slice cuts them."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from sourcebench.phantoms.canvas import Points, ellipse, smooth, tube
from sourcebench.phantoms.thorax.plate import Plate
from sourcebench.phantoms.thorax.pose import Pose
from sourcebench.phantoms.thorax.shape import ANGLES, LEFT, RIGHT, cage, dome, polar

FAT, MUSCLE, GAS = -98.0, 52.0, -985.0


@dataclass(frozen=True)
class Person:
    """What differs from patient to patient.

    Attributes:
        fat: thickness of the fat under the skin, mm.
        blood: HU of blood in the great vessels; above 100 with contrast agent.
        bone: density of bone, 1 is usual.
        heart: size of the heart, 1 is usual.
        lung: HU of the lungs' tissue in the middle.
        holes: how much emphysema, 0 to 1.
        belly: fat inside the abdomen and the mediastinum, 0 to 1.
        stomach: share of the stomach that gas fills.
    """

    fat: float
    blood: float
    bone: float
    heart: float
    lung: float
    holes: float
    belly: float
    stomach: float


def draw_abdomen(plate: Plate, pose: Pose, person: Person, t: float) -> None:
    """Paint what lies under the diaphragm's domes; the lungs are painted over it later."""
    inside = cage(t)
    right, left = dome(RIGHT, t), dome(LEFT, t)
    enhanced = person.blood > 100
    if left is not None:
        rim = _within(left, inside)
        plate.fill(FAT + 10, pose.mm(rim))
        size = float(np.clip((t - 0.72) / 0.2, 0.05, 1))
        turn = -0.35
        spleen = ellipse(0.66, 0.34, 0.32 * size, 0.17 * size, turn)
        plate.fill(115 if enhanced else 50, pose.mm(_within(spleen, 0.97 * inside)))
        stomach = ellipse(0.40, -0.20, 0.36 * size, 0.30 * size, 0.4)
        stomach = _within(stomach, 0.97 * inside)
        plate.fill(45, pose.mm(stomach))
        inner = stomach.mean(axis=0) + (stomach - stomach.mean(axis=0)) * 0.9
        plate.fill(20, pose.mm(inner))
        level = inner[:, 1].min() + person.stomach * np.ptp(inner[:, 1])
        gas = inner.copy()
        gas[:, 1] = np.minimum(gas[:, 1], level)  # gas rises to the front
        plate.fill(-960, pose.mm(gas))
    if right is not None:
        liver = _within(right, inside)
        if t > 0.86:  # the left lobe crosses the midline
            reach = min((t - 0.86) / 0.15, 1)
            lobe = smooth([(-0.3, -0.55), (0.05 + 0.25 * reach, -0.50), (0.1, -0.2), (-0.3, 0.1)])
            plate.fill(105 if enhanced else 58, pose.mm(_within(lobe, 0.96 * inside)))
        plate.fill(105 if enhanced else 58, pose.mm(liver))
        if t > 0.80:  # veins of the liver
            value = 150.0 if enhanced else 42.0
            for x, y, w in ((-0.42, 0.05, 0.030), (-0.55, -0.18, 0.024), (-0.25, -0.15, 0.026)):
                line = smooth([(-0.16, 0.14), ((x - 0.16) / 2, y + 0.03), (x, y - 0.2 * (t - 0.8))])
                plate.fill(value, pose.mm(tube(line, w)))
    if t > 0.84:  # the crura beside the spine and the aorta
        for side in (LEFT, RIGHT):
            line = smooth(
                [(side * 0.05 + 0.04, 0.16), (side * 0.13 + 0.04, 0.26), (side * 0.17, 0.42)]
            )
            plate.fill(MUSCLE, pose.mm(tube(smooth(line), 0.045)))


def draw_mediastinum(plate: Plate, pose: Pose, person: Person, t: float) -> None:
    """Paint heart, great vessels, oesophagus and lymph nodes on the mediastinum's fat."""
    for organ in (_heart, _veins, _aorta, _pulmonary_arteries, _small_parts):
        organ(_filler(plate, pose), person, t)


def draw_airways(plate: Plate, pose: Pose, t: float) -> None:
    """Paint the trachea and the main bronchi, with their walls."""
    fill = _filler(plate, pose)
    tubes: list[Points] = []
    y = float(np.interp(t, [-0.3, 0.0, 0.40, 0.5], [-0.12, -0.02, 0.13, 0.17]))
    if t < 0.42:
        wide = 0.068 + 0.05 * float(np.clip((t - 0.36) / 0.06, 0, 1))
        tubes = [ellipse(0.01, y, wide, 0.066)]
    elif t < 0.53:
        apart = (t - 0.42) / 0.11
        tubes = [
            ellipse(-0.075 - 0.16 * apart, y + 0.01, 0.062 - 0.012 * apart, 0.052, 0.3),
            ellipse(0.090 + 0.20 * apart, y + 0.02, 0.068 - 0.016 * apart, 0.046, -0.3),
        ]
    for outline in tubes:
        middle = outline.mean(axis=0)
        fill(30, middle + (outline - middle) * 1.22)
        fill(GAS, outline)


Fill = Callable[[float, Points], None]


def _filler(plate: Plate, pose: Pose) -> Fill:
    def fill(value: float, outline: Points) -> None:
        plate.fill(value, pose.mm(outline))

    return fill


def _heart(fill: Fill, person: Person, t: float) -> None:
    if 0.43 < t < 0.60:  # the left atrium lies at the back, under the carina
        size = np.sqrt(1 - ((t - 0.53) / 0.10) ** 2) if abs(t - 0.53) < 0.1 else 0
        fill(person.blood, ellipse(0.06, 0.10, 0.27 * size + 0.001, 0.13 * size + 0.001))
    h = person.heart
    height = (t - 0.655) / 0.215
    if abs(height) >= 1 or t > 0.85:
        return
    size = float(np.sqrt(1 - height**2)) * h
    low = (t - 0.44) / 0.43  # the apex is farther left and in front
    x, y = 0.10 + 0.16 * low, -0.22 - 0.06 * low
    heart = ellipse(x, y, 0.50 * size, 0.37 * size, 0.42)
    fill(48, heart)
    if person.blood < 100:
        return
    for right, down, rx, ry, turn in (
        (0.20, 0.06, 0.25, 0.14, 0.5),
        (-0.06, -0.22, 0.17, 0.27, -0.6),
        (-0.30, 0.10, 0.15, 0.20, 0.1),
    ):
        fill(person.blood, ellipse(x + right * size, y + down * size, rx * size, ry * size, turn))


def _aorta(fill: Fill, person: Person, t: float) -> None:
    if t > 0.255:  # descending
        x = float(np.interp(t, [0.25, 0.5, 0.8, 1.1], [0.17, 0.16, 0.12, 0.06]))
        y = float(np.interp(t, [0.25, 0.5, 0.8, 1.1], [0.27, 0.33, 0.31, 0.26]))
        fill(person.blood, ellipse(x, y, 0.092, 0.092))
    if 0.275 < t < 0.56:  # ascending
        x = float(np.interp(t, [0.27, 0.56], [-0.07, 0.02]))
        fill(person.blood, ellipse(x, -0.20, 0.118, 0.118))
    if 0.21 < t < 0.285:  # the arch
        thin = 0.19 * np.sqrt(max(1 - ((t - 0.25) / 0.042) ** 2, 0.02))
        line = smooth([(-0.08, -0.19), (0.05, -0.10), (0.14, 0.06), (0.17, 0.25)])
        fill(person.blood, tube(line, thin))
        if thin > 0.1:
            for x, y in ((-0.08, -0.19), (0.17, 0.25)):
                fill(person.blood, ellipse(x, y, thin / 2, thin / 2))
    if t <= 0.22:  # the arch's branches
        up = float(np.clip((0.22 - t) / 0.25, 0, 1))
        branches = ((-0.08, -0.12, 0.046), (0.08, -0.06, 0.034), (0.14, 0.08, 0.040))
        for (x, y, r), out in zip(branches, (-0.04, 0.05, 0.10), strict=True):
            fill(person.blood, ellipse(x + out * up, y + 0.03 * up, r, r))


def _veins(fill: Fill, person: Person, t: float) -> None:
    blood = person.blood * (1.3 if person.blood > 100 else 1)
    if 0.19 < t < 0.52:
        fill(blood, ellipse(-0.19, -0.09, 0.068, 0.078))
    if t <= 0.19:
        up = float(np.clip((0.19 - t) / 0.3, 0, 1))
        fill(blood, ellipse(-0.19 - 0.10 * up, -0.10, 0.058, 0.05))
        fill(blood, ellipse(0.19 + 0.10 * up, -0.12, 0.052, 0.045))
    if 0.145 < t < 0.205:  # the left brachiocephalic vein crosses
        thin = 0.10 * np.sqrt(1 - ((t - 0.175) / 0.031) ** 2)
        line = smooth([(0.19, -0.14), (0.05, -0.25), (-0.18, -0.14)])
        fill(blood, tube(line, thin))
    if t > 0.78:  # inferior vena cava
        fill(person.blood * 0.9, ellipse(-0.16, 0.10, 0.095, 0.075))


def _pulmonary_arteries(fill: Fill, person: Person, t: float) -> None:
    blood = person.blood * (1.1 if person.blood > 100 else 1)
    if 0.37 < t < 0.52:
        x = float(np.interp(t, [0.37, 0.52], [0.14, 0.12]))
        fill(blood, ellipse(x, -0.27 + 0.1 * (0.45 - t), 0.11, 0.10))
    if 0.40 < t < 0.47:
        thin = 0.13 * np.sqrt(1 - ((t - 0.435) / 0.036) ** 2)
        line = smooth([(0.12, -0.22), (0.04, -0.04), (-0.14, 0.03), (-0.30, 0.10)])
        fill(blood, tube(line, max(thin, 0.02)))
    if 0.36 < t < 0.43:
        thin = 0.14 * np.sqrt(1 - ((t - 0.395) / 0.036) ** 2)
        line = smooth([(0.13, -0.24), (0.22, -0.08), (0.28, 0.10), (0.31, 0.18)])
        fill(blood, tube(line, max(thin, 0.02)))
    if 0.38 < t < 0.56:  # the hila's soft tissue
        size = np.sqrt(1 - ((t - 0.47) / 0.091) ** 2) if abs(t - 0.47) < 0.091 else 0.0
        for side in (LEFT, RIGHT):
            fill(
                0.6 * blood + 15,
                ellipse(side * 0.27, 0.09, 0.09 * size + 0.001, 0.13 * size + 0.001),
            )


def _small_parts(fill: Fill, person: Person, t: float) -> None:
    if t < 0.92:  # oesophagus
        x = float(np.interp(t, [0, 0.4, 0.9], [0.02, 0.03, 0.09]))
        y = float(np.interp(t, [-0.3, 0.0, 0.4, 0.9], [0.06, 0.13, 0.26, 0.17]))
        fill(38, ellipse(x, y, 0.065, 0.042))
        if 0.1 < t < 0.3:
            fill(-600, ellipse(x, y, 0.018, 0.012))
    if t > 0.3:  # azygos
        fill(person.blood * 0.9, ellipse(-0.06, 0.31, 0.03, 0.028))
    for level, x, y in (
        (0.31, -0.13, 0.08),
        (0.34, 0.13, -0.02),
        (0.47, 0.0, 0.24),
        (0.24, -0.16, 0.05),
    ):
        near = 1 - ((t - level) / 0.03) ** 2
        if near > 0:
            fill(40, ellipse(x, y, 0.05 * near, 0.032 * near, 0.4))
    if t < -0.02:  # thyroid
        for side in (LEFT, RIGHT):
            fill(person.blood + 60, ellipse(side * 0.14, -0.10, 0.06, 0.10))


def _within(outline: Points, reach: Points) -> Points:
    """Pull an outline's points in to a radius given for each of `ANGLES`."""
    angle = np.arctan2(outline[:, 1], outline[:, 0])
    most = np.interp(angle % (2 * np.pi), ANGLES, reach, period=2 * np.pi)
    length = np.hypot(*outline.T) + 1e-9
    return np.asarray(outline * np.minimum(1, most / length)[:, None])


def draw_wall(plate: Plate, pose: Pose, person: Person, t: float, muscle: Points) -> None:
    """Paint fat between the muscles of the chest wall, over the ribs and in the armpits."""
    inner = cage(t) + 0.075
    room = np.maximum(muscle - inner, 0)
    wave = 0.5 + 0.14 * np.sin(3 * ANGLES + 1) + 0.08 * np.sin(7 * ANGLES)
    thin = 0.016 + 0.022 * person.belly
    middle = np.degrees(ANGLES)
    for low, high, share in ((-75, -25, 0.5), (15, 60, 0.45), (205, 255, 0.5), (120, 165, 0.45)):
        pick = (middle - low) % 360 < high - low
        line = polar(inner + room * wave * share * 2)[pick]
        order = np.argsort((middle[pick] - low) % 360)
        taper = np.sin(np.linspace(0, np.pi, len(order)))
        plate.fill(FAT + 20, pose.mm(tube(line[order], thin * (0.3 + taper))))
    if -0.05 < t < 0.33:
        size = np.sqrt(1 - ((t - 0.14) / 0.195) ** 2)
        for side in (LEFT, RIGHT):
            x = cage(t)[0 if side > 0 else len(ANGLES) // 2] + 0.16
            plate.fill(FAT, pose.mm(ellipse(side * x, -0.10, 0.10 * size, 0.22 * size, side * 0.3)))
            plate.fill(60, pose.mm(ellipse(side * x, -0.16, 0.022, 0.022)))
            plate.fill(45, pose.mm(ellipse(side * (x + 0.03), -0.04, 0.02 * size, 0.035 * size)))
