"""Ribs, spine, clavicles, shoulder blades and arms: tubes whose walls are brighter than within."""

import numpy as np

from sourcebench.phantoms.canvas import Canvas, ellipse, smooth, tube
from sourcebench.phantoms.radiograph.chest import Chest
from sourcebench.phantoms.radiograph.tissue import SIDES


def draw_ribs(canvas: Canvas, chest: Chest) -> None:
    """Add ten pairs of ribs: sharp arcs of the back, fainter and steeper arcs of the front."""
    back, front = [], []
    for side in SIDES:
        for k in range(1, 11):
            width = chest.ribs * (0.042 + 0.010 * np.sin(np.pi * k / 10))
            behind = chest.rib(k, side, np.linspace(0.03, 1.62, 26))
            back.append(tube(behind, width * np.linspace(0.75, 1.0, 26)))
            if k <= 8:  # the front ends turn into cartilage, which casts no shadow
                before = chest.rib(k, side, np.linspace(1.45, 2.55 - 0.02 * k, 22))
                front.append(tube(before, width * np.linspace(0.8, 1.25, 22)))
    fade = np.clip((np.abs(canvas.x) - 0.20) * 5, 0.0, 1)
    behind_heart = 0.45 + 0.55 * np.clip((np.abs(canvas.x) - 0.10) * 6, 0, 1)
    canvas.depth += (
        chest.bone
        * behind_heart
        * (
            0.075 * canvas.fill(*back, soft=0.004)
            + 0.050 * canvas.stroke(back, 0.0045, soft=0.0035, closed=True)
        )
    )
    canvas.depth += (
        chest.bone
        * fade
        * (
            0.050 * canvas.fill(*front, soft=0.005)
            + 0.030 * canvas.stroke(front, 0.0045, soft=0.004, closed=True)
        )
    )


def draw_spine(canvas: Canvas, chest: Chest) -> None:
    """Add the vertebrae: bodies with end plates, pedicles and spinous processes."""
    bodies, knobs = [], []
    top, spacing = chest.down(-0.98), 0.126 * chest.height
    for k in range(18):
        y = top + spacing * k
        w, h = 0.076 + 0.0022 * k, 0.40 * spacing
        waist = [(-w, y - h), (-0.88 * w, y), (-w, y + h), (w, y + h), (0.88 * w, y), (w, y - h)]
        bodies.append(np.array(waist))
        knobs += [ellipse(s * 0.62 * w, y - 0.3 * h, 0.011, 0.018, n=14) for s in SIDES]
        knobs.append(ellipse(0, y + 0.4 * h, 0.010, 0.030, n=14))
    canvas.depth += chest.bone * (
        0.085 * canvas.fill(*bodies, soft=0.010)
        + 0.030 * canvas.stroke(bodies, 0.006, soft=0.005, closed=True)
        + 0.045 * canvas.fill(*knobs, soft=0.006)
    )


def draw_shoulders(canvas: Canvas, chest: Chest, raise_: float) -> None:
    """Add clavicles, shoulder blades and upper arms; `raise_` lifts the clavicles' outer ends."""
    w = chest.shoulder
    tubes, blades, heads, shafts = [], [], [], []
    for side in SIDES:
        inner, outer = chest.down(-0.545), chest.down(-0.69) - raise_
        line = [
            (0.07, inner + 0.02),
            (0.20, inner - 0.02),
            (0.40, (inner + outer) / 2 - 0.02),
            (0.60 * w, outer - 0.015),
            (0.80 * w, outer + 0.035),
        ]
        clavicle = smooth(line, 8) * (side, 1)
        widths = np.interp(
            np.linspace(0, 1, len(clavicle)),
            [0, 0.12, 0.5, 0.93, 1],
            [0.068, 0.05, 0.044, 0.06, 0.03],
        )
        tubes.append(tube(clavicle, widths))
        x = 0.70 * w - chest.scapula
        blade = [
            (x + 0.12, -0.66),
            (x - 0.02, -0.62),
            (x - 0.10, -0.52),
            (x - 0.07, -0.25),
            (x - 0.005, 0.02),
            (x + 0.03, -0.02),
            (x + 0.07, -0.25),
            (x + 0.15, -0.45),
            (x + 0.17, -0.58),
            (x + 0.12, -0.66),
        ]
        blades.append(smooth(blade, 6) * (side, 1))
        heads.append(ellipse(side * 0.90 * w, -0.63, 0.095, 0.10))
        arm = smooth([(0.93 * w, -0.60), (0.98 * w, -0.2), (1.06 * w, 0.5), (1.10 * w, 1.3)], 8) * (
            side,
            1,
        )
        shafts.append(tube(arm, np.linspace(0.12, 0.085, len(arm))))
    canvas.depth += chest.bone * (
        0.085 * canvas.fill(*tubes, soft=0.004)
        + 0.055 * canvas.stroke(tubes, 0.006, soft=0.0035, closed=True)
        + 0.050 * canvas.fill(*blades, soft=0.008)
        + 0.050 * canvas.stroke(blades, 0.008, soft=0.005, closed=True)
        + 0.11 * canvas.fill(*heads, *shafts, soft=0.006)
        + 0.07 * canvas.stroke(shafts, 0.014, soft=0.005, closed=True)
    )
