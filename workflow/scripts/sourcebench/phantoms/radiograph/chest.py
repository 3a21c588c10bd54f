"""A chest's measures: drawn per patient, moved by sex, age and view, changed by findings."""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from sourcebench.phantoms.canvas import Canvas, Points, smooth

LEFT, RIGHT = 1, -1
"""The patient's sides, as the sign of x: the patient's left is the image's right."""

_HALF_WIDTHS = np.array([0.32, 0.51, 0.625, 0.685, 0.72, 0.735, 0.745, 0.755, 0.76, 0.755])
_DROPS = np.array([0.16, 0.24, 0.31, 0.36, 0.40, 0.43, 0.45, 0.46, 0.46, 0.44])
_TOP, _SPACING = -0.72, 0.126


@dataclass
class Chest:
    """Measures in body units (about 205 mm) or as factors around 1; sides by their sign of x."""

    width: float = 0.88
    height: float = 1.1
    tilt: float = 1.0
    ribs: float = 1.0
    thickness: float = 1.0
    fat: float = 0.08
    shoulder: float = 1.0
    breast: float = 0.0
    breast_fall: float = 0.0
    heart: float = 1.0
    knob: float = 0.05
    unfold: float = 0.0
    scapula: float = 0.0
    bone: float = 1.0
    vessel: float = 1.0
    haze: float = 0.0
    bubble: float = 0.0
    shift: float = 0.0
    flat: float = 0.0
    dome: dict[int, float] = field(default_factory=lambda: {LEFT: 0.47, RIGHT: 0.42})
    lucency: dict[int, float] = field(default_factory=lambda: {LEFT: 1.0, RIGHT: 1.0})
    overlays: list[Callable[[Canvas], None]] = field(default_factory=list)

    def down(self, y: float) -> float:
        """Stretch a height of the standard thorax to this one's."""
        return _TOP + (y - _TOP) * self.height - 0.06

    def rib(self, k: int, side: int, t: np.ndarray) -> Points:
        """Return the middle line of rib `k` (1 to 10): t runs from 0 (spine) to pi (sternum)."""
        x = side * self.width * (0.05 + (_HALF_WIDTHS[k - 1] - 0.05) * np.sin(t))
        y = _TOP + _SPACING * (k - 1) + self.tilt * _DROPS[k - 1] * (1 - np.cos(t)) / 2
        # The back's arcs rise a little before they fall.
        y = y - 0.035 * np.sin(np.minimum(t * 2, np.pi))
        return np.stack([x, _TOP + (y - _TOP) * self.height - 0.06], axis=1)

    def floor(self, side: int) -> Points:
        """Return the diaphragm's dome from the costophrenic angle to the heart."""
        w, top = self.width, self.dome[side]
        rise = 1 - self.flat
        points = [
            (0.735 * w, top + 0.18 * rise + 0.02),
            (0.68 * w, top + 0.105 * rise),
            (0.56 * w, top + 0.03 * rise),
            (0.40 * w, top),
            (0.24 * w, top + 0.015 * rise),
            (0.10 * w, top + 0.045 * rise),
            (0.00, sum(self.dome.values()) / 2 + 0.06 * rise),
        ]
        return smooth([(side * x, self.down(y)) for x, y in points], 8)

    def lung(self, side: int) -> Points:
        """Return one side of the thorax that lung can fill: apex, chest wall, diaphragm, midline.

        The mediastinum is drawn over it, as in a real projection.
        """
        mid = np.array([np.pi / 2])
        wall = [tuple(self.rib(k, side, mid)[0] - (side * 0.012, 0.0)) for k in range(2, 10)]
        apex = [
            (side * 0.03, self.down(-0.56)),
            (side * 0.09 * self.width, self.down(-0.69)),
            (side * 0.23 * self.width, self.down(-0.745)),
            (side * 0.40 * self.width, self.down(-0.635)),
        ]
        floor = self.floor(side)
        wall = [point for point in wall if point[1] < floor[0, 1] - 0.06]
        return np.vstack([smooth([*apex, *wall, tuple(floor[0])], 8), floor])

    def mediastinum(self) -> Points:
        """Return the outline of great vessels and heart."""
        h, s, k = self.heart, self.shift, self.knob
        right = [
            (-0.15, -1.0),
            (-0.12, -0.70),
            (-0.125, -0.48),
            (-0.135 - 0.4 * self.unfold, -0.25),
            (-0.14, -0.08),
            (-0.16 - 0.09 * (h - 0.8), 0.05),
            (-0.215 * h**0.8, 0.20),
            (-0.195 * h**0.8, 0.34),
            (-0.14, 0.50),
            (-0.10, 0.70),
        ]
        left = [
            (0.20, 0.70),
            (0.34 * h, 0.52),
            (0.415 * h, 0.39),
            (0.41 * h, 0.28),
            (0.325 * h, 0.12),
            (0.225 * h**0.6, -0.03),
            (0.165, -0.14),
            (0.135 + self.unfold, -0.24),
            (0.125 + k, -0.33),
            (0.115 + 0.5 * k, -0.43),
            (0.105, -0.55),
            (0.11, -0.72),
            (0.15, -1.0),
        ]
        return smooth([(x * self.width / 0.88 + s, self.down(y)) for x, y in [*right, *left]], 8)

    def heart_body(self) -> tuple[float, float, float]:
        """Return the heart's centre (x, y) and radius."""
        return 0.10 * self.heart + self.shift, self.down(0.27), 0.27 * self.heart


def build(rng: np.random.Generator, sex: str, age: int, view: str) -> Chest:
    """Draw a patient's chest.

    Args:
        rng: the patient's own, so that all of a patient's images show one chest.
        sex: 'M' or 'F'.
        age: years.
        view: 'PA' or 'AP'; AP magnifies the heart, lifts the diaphragm and leaves the shoulder
            blades over the lungs.
    """
    female, frontal = sex == "F", view == "AP"
    z = rng.standard_normal(24).clip(-2.2, 2.2)
    u = rng.uniform(size=8)
    old = float(np.clip((age - 50) / 30, -1, 1.3))
    chest = Chest(
        width=(0.83 if female else 0.89) + 0.035 * z[0],
        height=(1.05 if female else 1.12) + 0.045 * z[1],
        tilt=1.0 + 0.08 * z[2] - 0.10 * frontal,
        ribs=(0.94 if female else 1.05) + 0.07 * z[3],
        thickness=1.0 + 0.06 * z[4],
        fat=float(np.clip(0.105 + 0.045 * z[5] + 0.015 * old, 0.03, 0.24)),
        shoulder=(0.93 if female else 1.03) + 0.035 * z[6],
        heart=1.0 + 0.055 * z[7] + 0.12 * frontal + 0.03 * old,
        knob=float(np.clip(0.045 + 0.012 * z[8] + 0.022 * old, 0.015, 0.11)),
        unfold=max(0.0, 0.018 * old + 0.008 * z[9]),
        scapula=(0.20 if frontal else 0.02) + 0.03 * z[10],
        bone=1.0 + 0.14 * z[11] - 0.13 * old - 0.05 * female,
        vessel=1.0 + 0.12 * z[13] + 0.1 * frontal,
        haze=0.02 * frontal + 0.02 * u[0],
        bubble=float(u[1]),
    )
    lift = 0.09 * frontal + 0.03 * z[14]
    chest.dome = {LEFT: 0.475 - lift + 0.012 * z[15], RIGHT: 0.425 - lift + 0.012 * z[16]}
    if female:
        chest.breast = float(np.clip(0.62 + 0.3 * z[17], 0.12, 1.3))
    else:  # pectoral muscle, and what weight adds
        chest.breast = float(np.clip(0.06 + 0.1 * z[17], 0.0, 0.3))
    chest.breast_fall = 0.05 * z[18] + 0.04 * old * female
    return chest
