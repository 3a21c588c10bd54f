"""What attenuates besides bone: body, lungs with their vessels, heart, abdomen, breasts."""

import numpy as np

from sourcebench.phantoms.canvas import Canvas, Points, ellipse, smooth
from sourcebench.phantoms.radiograph.chest import LEFT, RIGHT, Chest

SIDES = (LEFT, RIGHT)
LOWER = np.array([0.0, 0.05])


def draw_body(canvas: Canvas, chest: Chest, arms: float) -> None:
    """Add the body's outline: neck, shoulders, trunk, and the arms turned `arms` outwards."""
    w = chest.shoulder
    wall = 0.75 * chest.width + 0.035 + chest.fat
    half = [
        (0.20, -1.6),
        (0.19 * w, -1.12),
        (0.25 * w, -1.02),
        (0.48 * w, -0.94),
        (0.80 * w, -0.86),
        (0.99 * w, -0.74),
        (1.06 * w, -0.52),
        (0.99 * w, -0.26),
        (wall + 0.03, 0.0),
        (wall + 0.07 * chest.breast, 0.30),
        (wall + 0.05 * chest.breast, 0.48),
        (wall - 0.02, 0.70),
        (wall + 0.4 * chest.fat, 1.6),
    ]
    line = smooth(half, 8)
    trunk = np.vstack([line, line[::-1] * (-1, 1)])
    limbs = []
    for side in SIDES:
        a, b = (0.93 * w, -0.60), (0.93 * w + 0.06 + arms, 0.25)
        c = (0.93 * w + 0.08 + 1.6 * arms, 1.4)
        outer = [(a[0] + 0.13, a[1]), (b[0] + 0.15, b[1]), (c[0] + 0.14, c[1])]
        inner = [(c[0] - 0.11, c[1]), (b[0] - 0.12, b[1]), (a[0] - 0.12, a[1])]
        limb = np.vstack([smooth(outer, 8), smooth(inner, 8)])
        limbs.append(limb * (side, 1))
    body = canvas.relief(trunk, radius=0.26) * (0.93 + 0.20 * canvas.y)
    limb_depth = canvas.relief(*limbs, radius=0.15) * 0.62
    canvas.depth += chest.thickness * np.maximum(body, limb_depth)


def draw_lungs(canvas: Canvas, chest: Chest) -> None:
    """Take the air out: both lungs, dimmed where heart and great vessels lie over them."""
    for side in SIDES:
        outline = chest.lung(side)
        canvas.air += canvas.fill(outline, soft=0.006)
        air = canvas.relief(outline, radius=0.26, soft=0.008) * chest.lucency[side]
        canvas.depth -= chest.thickness * (0.61 + 0.10 * canvas.y) * air
    np.clip(canvas.air, 0, 1, out=canvas.air)
    outline = chest.mediastinum()
    solid = canvas.relief(outline, radius=0.16, soft=0.010)
    x, y, r = chest.heart_body()
    bulk = canvas.fill(ellipse(x, y, r, 0.85 * r, 0.5), soft=0.10)
    canvas.depth += canvas.air * solid * (0.40 + 0.22 * bulk)
    knob = (0.06 + chest.knob / 2 + chest.shift, chest.down(-0.345))
    arch = canvas.fill(ellipse(*knob, 0.05 + chest.knob * 0.5, 0.075 + chest.knob * 0.4), soft=0.02)
    canvas.depth += 0.07 * arch
    canvas.air *= 1 - 0.8 * solid


def draw_airway(canvas: Canvas, chest: Chest) -> None:
    """Take the air out of the trachea and the main bronchi."""
    s = chest.shift
    fork = (0.012 + s, chest.down(-0.24))
    trunk = smooth([(0.0, -1.3), (0.008 + 0.5 * s, chest.down(-0.6)), fork], 8)
    right = smooth([fork, (-0.055 + s, chest.down(-0.16)), (-0.12 + s, chest.down(-0.09))], 6)
    left = smooth([fork, (0.08 + s, chest.down(-0.16)), (0.16 + s, chest.down(-0.10))], 6)
    canvas.depth -= 0.13 * canvas.stroke([trunk], 0.075, soft=0.012)
    canvas.depth -= 0.05 * canvas.stroke([right, left], 0.05, soft=0.012)


def draw_abdomen(canvas: Canvas, chest: Chest, rng: np.random.Generator) -> None:
    """Add what lies under the diaphragm, and the stomach's bubble under the left dome."""
    floors = [chest.floor(side) for side in SIDES]
    dome = np.vstack([floors[1], floors[0][::-1], [(1.6, 0.9), (1.6, 2.0), (-1.6, 2.0)]])
    canvas.depth += 0.10 * canvas.fill(np.vstack([dome, [(-1.6, 0.9)]]), soft=0.03)
    # Lung goes on behind the domes, thinning downwards.
    canvas.depth -= 0.10 * canvas.fill(*[floor + LOWER for floor in floors], soft=0.05)
    x = 0.34 + 0.05 * rng.standard_normal()
    y = chest.down(chest.dome[LEFT]) + 0.13 + 0.02 * rng.standard_normal()
    if chest.bubble > 0.3:
        size = 0.07 + 0.07 * rng.uniform()
        round_ = ellipse(x, y, 1.3 * size, 0.75 * size, -0.2)
        round_[:, 1] = np.minimum(round_[:, 1], y + 0.35 * size)  # the fluid's level
        canvas.depth -= (0.10 + 0.16 * chest.bubble) * canvas.fill(round_, soft=0.012)
    for _ in range(rng.integers(0, 5)):  # gas in the bowel
        at = (rng.uniform(0.1, 0.6), y + rng.uniform(0.12, 0.4))
        loop = ellipse(*at, rng.uniform(0.03, 0.07), rng.uniform(0.02, 0.045), rng.uniform(0, 3))
        canvas.depth -= rng.uniform(0.03, 0.12) * canvas.fill(loop, soft=0.012)


def draw_breasts(canvas: Canvas, chest: Chest) -> None:
    """Add the breasts' shadows: a soft disc over each lower lung, sharpest along its lower rim."""
    if chest.breast < 0.02:
        return
    size = 0.20 + 0.12 * chest.breast
    discs = []
    for side in SIDES:
        x = side * (0.42 * chest.width + 0.06 * chest.breast)
        y = chest.down(0.16 + chest.breast_fall + 0.10 * min(chest.breast, 1.0))
        discs.append(ellipse(x, y, 1.08 * size, size, side * 0.35))
    shade = canvas.relief(*discs, radius=0.7 * size, soft=0.012)
    rim = np.clip((canvas.y - chest.down(-0.2)) * 1.6, 0, 1)  # no edge above, where skin runs on
    canvas.depth += min(0.34, 0.30 * chest.breast) * shade * rim


def _branches(
    rng: np.random.Generator, starts: Points, headings: np.ndarray, length: float, bend: float
) -> tuple[Points, np.ndarray]:
    """Grow one line from each start: N×2 and N in, N×9×2 points and N×9 headings out."""
    steps = 8
    turns = np.cumsum(rng.normal(0, bend, (len(starts), steps)), axis=1)
    angles = headings[:, None] + turns
    sizes = length * rng.uniform(0.6, 1.2, (len(starts), 1)) / steps
    moves = np.stack([np.cos(angles), np.sin(angles)], axis=2) * sizes[:, :, None]
    points = starts[:, None] + np.concatenate([0 * moves[:, :1], np.cumsum(moves, 1)], axis=1)
    return points, np.concatenate([headings[:, None], angles], axis=1)


def draw_vessels(canvas: Canvas, chest: Chest, rng: np.random.Generator) -> None:
    """Add the hila and the vessels that branch from them towards the lungs' edges."""
    hilum = np.zeros_like(canvas.depth)
    for side in SIDES:
        root = np.array([side * 0.175 + chest.shift, chest.down(-0.10 - 0.03 * side)])
        n = 11
        fan = np.linspace(-1.4, 1.5, n) + rng.normal(0, 0.16, n)
        starts = root + np.stack([0 * fan, 0.05 * fan], axis=1)
        length = 0.46 * chest.width * (1 + 0.25 * (fan > 0.6))[:, None]
        lines, angles = _branches(rng, starts, fan, 1.0, 0.16)
        lines = root + (lines - root) * length[:, :, None]
        blob = smooth(root + np.array([(-0.02, -0.1), (0.045, -0.03), (0.05, 0.07), (0, 0.16)]), 6)
        hilum += canvas.stroke([_mirror(blob, root, side)], 0.07, soft=0.022)
        width, weight = 0.017 * chest.vessel, 0.052
        for generation in range(4):
            drawn = _mirror(lines, root, side)
            half = drawn[:, :5]
            canvas.vessels += weight * canvas.stroke(drawn, width * 0.6, soft=0.004)
            canvas.vessels += 0.7 * weight * canvas.stroke(half, width, soft=0.004)
            if generation == 3:
                break
            parents = rng.integers(0, len(lines), 2 * len(lines))
            at = rng.integers(1, 8, len(parents))
            away = rng.choice((-1, 1), len(parents)) * rng.uniform(0.3, 0.8, len(parents))
            lines, angles = _branches(
                rng, lines[parents, at], angles[parents, at] + away, 0.2 * 0.8**generation, 0.14
            )
            width, weight = width * 0.68, weight * 0.72
    canvas.vessels += 0.10 * chest.vessel * hilum
    canvas.vessels += 0.014 * canvas.noise(rng, 48, 3)
    canvas.vessels *= chest.vessel


def _mirror(lines: Points, root: Points, side: int) -> Points:
    """Turn what grew to the image's right around its root for the other side."""
    return lines if side == LEFT else np.asarray(root + (lines - root) * (-1, 1))
