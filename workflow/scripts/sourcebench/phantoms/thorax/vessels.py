"""The lungs' vessels: trees in space that grow from the hila and are cut by a slice.

A cut vessel is a dot or a line of the same brightness as a nodule: what a reader, or a network,
has to tell from one.
"""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from sourcebench.phantoms.canvas import Array
from sourcebench.phantoms.thorax.plate import Plate
from sourcebench.phantoms.thorax.shape import LENGTH, SIDES, dome, lung

_GRID, _LAYERS = 64, 48
_LEAF = 0.38  # mm
_MURRAY = 2.6  # the power by which a vessel's radius adds up from its branches'
_FULL = 1.6  # mm: finer vessels are blurred by a scanner, and fainter
_STEP = 9.0  # mm between the bends of a vessel

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Vessels:
    """Segments: `ends` M×2×3 (x, y, level) in half widths of the chest and levels, `radii` M (mm).

    `airways` (M) says which run beside a bronchus.
    """

    ends: Floats
    radii: Floats
    airways: npt.NDArray[np.bool_]


def grow(rng: np.random.Generator, half_width: float) -> Vessels:
    """Grow arteries and veins in both lungs.

    Args:
        rng: where the branches go.
        half_width: half the inside width of the chest in mm, for the vessels' calibres are in mm.
    """
    parts: list[tuple[Floats, Floats, npt.NDArray[np.bool_]]] = []
    for side in SIDES:
        room = _room(side)
        hilum_x = 0.22 if side < 0 else 0.27
        for root, leaves, airway in (
            ((side * hilum_x, 0.10, 0.40), 340, True),
            ((side * hilum_x, 0.13, 0.51), 220, False),
        ):
            ends, radii = _tree(rng, np.array(root), room, leaves, half_width)
            parts.append((ends, radii, np.full(len(radii), airway) & (radii > 1.3)))
    ends, radii, airways = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Vessels(ends, radii, airways)


@cache
def _room(side: int) -> Floats:
    """Return points (N×3: x, y, level) that fill a lung evenly, a little off the pleura."""
    levels = (np.arange(_LAYERS) + 0.5) / _LAYERS
    found = []
    for t in levels:
        image = np.zeros((_GRID, _GRID), np.uint8)
        cv2.fillPoly(image, [_cells(lung(side, t))], 1)
        below = dome(side, t)
        if below is not None:
            cv2.fillPoly(image, [_cells(below)], 0)
        rows, columns = np.nonzero(cv2.erode(image, np.ones((3, 3), np.uint8)))
        xy = (np.stack([columns, rows], axis=1) + 0.5) * 2.2 / _GRID - 1.1
        found.append(np.column_stack([xy, np.full(len(xy), t)]))
    return np.vstack(found)


def _cells(outline: Floats) -> npt.NDArray[np.int32]:
    return np.asarray(np.round((outline + 1.1) * _GRID / 2.2 - 0.5), np.int32)


def _tree(
    rng: np.random.Generator, root: Floats, room: Floats, leaves: int, half_width: float
) -> tuple[Floats, Floats]:
    """Join points of the lung, the nearest first, to the tree so far by the shortest way."""
    scale = half_width * np.array([1, 1, LENGTH])
    goals = room[rng.choice(len(room), leaves, replace=False)]
    goals = (goals + rng.uniform(-0.5, 0.5, goals.shape) * (2.2 / _GRID, 2.2 / _GRID, 0.02)) * scale
    start = root * scale
    goals = goals[np.argsort(np.linalg.norm(goals - start, axis=1))]
    most = 1 + leaves * 40
    nodes, way, parent = np.empty((most, 3)), np.zeros(most), np.zeros(most, int)
    tips = []
    nodes[0], count = start, 1
    for goal in goals:
        off = goal - nodes[:count]
        gap = np.sqrt(np.einsum("ij,ij->i", off, off))
        nearest = int(np.argmin(gap + 0.22 * way[:count]))
        steps = min(1 + int(gap[nearest] // _STEP), 39)
        bend = rng.normal(0, 0.10, 3) * gap[nearest]
        share = np.arange(1, steps + 1)[:, None] / steps
        new = slice(count, count + steps)
        nodes[new] = nodes[nearest] + off[nearest] * share + bend * np.sin(np.pi * share)
        way[new] = way[nearest] + gap[nearest] * share[:, 0]
        parent[new] = np.arange(count - 1, count + steps - 1)
        parent[count] = nearest
        count += steps
        tips.append(count - 1)
    flow = np.zeros(count)
    flow[tips] += _LEAF**_MURRAY
    for node in range(count - 1, 0, -1):  # children come after their parents
        flow[parent[node]] += flow[node]
    radii = flow[1:] ** (1 / _MURRAY)
    ends = np.stack([nodes[parent[1:count]], nodes[1:count]], axis=1) / scale
    return ends, radii


def cut(
    plate: Plate, ends: Floats, radii: Floats, z: float, thickness: float
) -> tuple[Array, npt.NDArray[np.intp], Floats]:
    """Return the vessels that a slice cuts.

    Args:
        plate: what gives the pixels' size.
        ends: M×2×3 in mm (x, y, z).
        radii: M, mm.
        z: the slice's middle, mm.
        thickness: the slice's, mm.

    Returns:
        The cover (512×512, 0 to 1), the segments' indices (K) and their ends in the slice (K×2×2).
    """
    low, high = np.sort(ends[:, :, 2], axis=1).T
    near = np.nonzero((low - radii < z + thickness / 2) & (high + radii > z - thickness / 2))[0]
    start, end, radius = ends[near, 0], ends[near, 1], radii[near]
    rise = end[:, 2] - start[:, 2]
    rise = np.where(np.abs(rise) < 1e-6, 1e-6, rise)
    reach = thickness / 2 + 0.5 * radius
    turns = np.stack([z - reach - start[:, 2], z + reach - start[:, 2]]) / rise
    from_, to = np.clip(np.sort(turns, axis=0), 0, 1)
    crossing = start[:, None] + np.stack([from_, to], axis=1)[..., None] * (end - start)[:, None]
    top = np.minimum(np.maximum(*crossing[..., 2].T) + radius, z + thickness / 2)
    bottom = np.maximum(np.minimum(*crossing[..., 2].T) - radius, z - thickness / 2)
    shares = np.clip((top - bottom) / thickness, 0, 1) * np.clip(radius / _FULL, 0.35, 1)
    flat = crossing[..., :2]
    return plate.lines(flat, radius, shares), near, flat
