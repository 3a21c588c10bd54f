"""Where the cells of a field lie, and what shape each has."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from sourcebench.imaging import Image
from sourcebench.phantoms.canvas import SHIFT, Array, Points
from sourcebench.phantoms.cells.looks import Look

FIELD = 512
"""Px a side that lengths are told in."""

MOST = 250
"""Cells in a field at most: each has a grey level of the map of cells."""

_MARGIN = 30
_CANDIDATES = 6
_CORNERS = 40
_BINS = 4


@dataclass(frozen=True)
class Field:
    """The cells of a field, and maps of them.

    Attributes:
        look: what its cells look like.
        side: px a side of the maps.
        centre: N×2, of each nucleus, px of a field of 512.
        turn: N, the angle of each cell's longer axis, radians.
        size: N, each cell's size as a factor.
        bright: N, how much of a stain a cell has, as a factor.
        cells: side×side, uint8, the cell that is to be seen, 1 to N; 0 between them.
        nuclei: likewise.
        body: side×side in [0, 1], where cells are.
        core: likewise, nuclei.
        near: likewise, how near a nucleus is.
        rim: likewise, the cells' edges.
    """

    look: Look
    side: int
    centre: Points
    turn: Points
    size: Points
    bright: Points
    cells: Image
    nuclei: Image
    body: Array
    core: Array
    near: Array
    rim: Array

    def of_cells(self, values: npt.ArrayLike) -> Array:
        """Return an image that has each cell's value where the cell is; N values."""
        return _lookup(self.cells, values)

    def of_nuclei(self, values: npt.ArrayLike) -> Array:
        """Return an image that has each cell's value where its nucleus is; N values."""
        return _lookup(self.nuclei, values)

    def dots(self, centres: Points, radii: Points) -> Array:
        """Return the mask of round dots (M×2 and M, px of a field of 512), in [0, 1]."""
        scale = self.side / FIELD
        image = np.zeros((self.side, self.side), np.uint8)
        places = np.round(_pixels(centres, scale) * (1 << SHIFT)).astype(int)
        for (x, y), radius in zip(places, radii * scale, strict=True):
            fixed = max(1, round(radius * (1 << SHIFT)))
            cv2.circle(image, (int(x), int(y)), fixed, 255, -1, cv2.LINE_AA, SHIFT)
        return _share(image)

    def noise(self, rng: np.random.Generator, grain: float) -> Array:
        """Return smooth noise, mean 0, `grain` px of a field of 512 from hill to hill."""
        return _grown(rng, self.side, self.side, grain, grain)

    def streaks(self, rng: np.random.Generator, along: float, across: float) -> Array:
        """Return noise drawn out along each cell's longer axis, mean 0 where cells are."""
        wide = int(self.side * 1.42) + 2
        level = _grown(rng, wide, wide, along, across, FIELD * wide / self.side)
        bins = np.round(self.turn / np.pi * _BINS).astype(int) % _BINS
        kind = np.zeros(256, np.uint8)
        kind[1 : 1 + len(bins)] = bins
        ways = cv2.LUT(self.cells, kind)
        found: Array = np.zeros((self.side, self.side), np.float32)
        for which in np.unique(bins):
            middle = ((wide - 1) / 2, (wide - 1) / 2)
            matrix = np.asarray(
                cv2.getRotationMatrix2D(middle, -180 * float(which) / _BINS, 1), np.float64
            )
            matrix[:, 2] -= (wide - self.side) / 2
            turned = cv2.warpAffine(level, matrix, (self.side, self.side))
            cv2.copyTo(turned, np.asarray(ways == which, np.uint8), found)
        return found


def field(look: Look, side: int, rng: np.random.Generator) -> Field:
    """Return a field of cells.

    Args:
        look: what they look like.
        side: px a side of the maps.
        rng: decides all that is chance.
    """
    count = int(np.clip(rng.poisson(look.count * (1 + 2 * _MARGIN / FIELD) ** 2), 3, MOST))
    centre = _places(look, count, rng)
    divides = rng.uniform(size=count) < look.dividing
    size = np.exp(0.14 * rng.standard_normal(count)) * np.where(divides, 0.7, 1)
    bright = np.exp(0.18 * rng.standard_normal(count)) * np.where(divides, 1.7, 1)
    turn = rng.uniform(0, np.pi) + 0.7 * rng.standard_normal(count)
    longer = np.where(divides, 1.05, look.elongation * np.exp(0.12 * rng.standard_normal(count)))
    bodies = _outlines(rng, centre, look.body * size, longer, turn, 0.07)
    kernels = _outlines(rng, centre, look.nucleus * size**0.6, longer**0.5, turn, 0.02)
    cells, nuclei = _map(bodies, side), _map(kernels, side)
    cells = np.where(nuclei > 0, nuclei, cells)  # no cell lies over another's nucleus
    core = _soft((nuclei > 0).astype(np.float32), 0.7 * side / FIELD)
    near = _blurred(core, 0.5 * look.body * side / FIELD)
    rim = cv2.morphologyEx(cells, cv2.MORPH_GRADIENT, np.ones((3, 3), np.uint8)) > 0
    return Field(
        look, side, centre, turn, size, bright, cells, nuclei,
        body=_soft((cells > 0).astype(np.float32), 1.2 * side / FIELD),
        core=core,
        near=near / max(float(near.max()), 1e-3),
        rim=_soft(rim.astype(np.float32), 1.0 * side / FIELD),
    )  # fmt: skip


def _places(look: Look, count: int, rng: np.random.Generator) -> Points:
    """Return cells' centres: some in colonies, each as far from the others as chance allows."""
    low, high = -_MARGIN, FIELD + _MARGIN
    colonies = rng.uniform(low, high, (max(2, round(look.count / 18)), 2))
    spread = 0.42 * look.body * np.sqrt(look.count / len(colonies))
    shape = (count, _CANDIDATES)
    ways = rng.uniform(low, high, (*shape, 2))
    home = colonies[rng.integers(len(colonies), size=count)]
    colony = home[:, None] + spread * rng.standard_normal((*shape, 2))
    clumped = rng.uniform(size=count) < look.clumping / (1 + look.clumping)
    ways[clumped] = colony[clumped]
    places = np.empty((count, 2))
    places[0] = ways[0, 0]
    for i in range(1, count):
        apart = ((ways[i][:, None] - places[None, :i]) ** 2).sum(-1).min(axis=1)
        places[i] = ways[i, apart.argmax()]
    return places


def _outlines(
    rng: np.random.Generator,
    centre: Points,
    radius: Points,
    longer: Points,
    turn: Points,
    rough: float,
) -> Points:
    """Return closed outlines, N×corners×2: ellipses whose edges are uneven."""
    angle = np.linspace(0, 2 * np.pi, _CORNERS, endpoint=False)
    waves = np.arange(2, 6)
    size = rough * rng.standard_normal((len(centre), len(waves)))
    phase = rng.uniform(0, 2 * np.pi, (len(centre), len(waves)))
    uneven = np.cos(waves[None, :, None] * angle + phase[..., None])
    r = radius[:, None] * (1 + (size[..., None] * uneven).sum(1))
    u = r * np.cos(angle) * np.sqrt(longer)[:, None]
    v = r * np.sin(angle) / np.sqrt(longer)[:, None]
    c, s = np.cos(turn)[:, None], np.sin(turn)[:, None]
    return np.asarray(centre[:, None] + np.stack([u * c - v * s, u * s + v * c], axis=-1))


def _map(outlines: Points, side: int) -> Image:
    image = np.zeros((side, side), np.uint8)
    fixed = np.round(_pixels(outlines, side / FIELD) * (1 << SHIFT)).astype(np.int32)
    for level, outline in enumerate(fixed, start=1):
        cv2.fillPoly(image, [outline], level, cv2.LINE_8, SHIFT)
    return image


def _pixels(points: Points, scale: float) -> Points:
    return (points + 0.5) * scale - 0.5


def _share(image: Image) -> Array:
    return image.astype(np.float32) * np.float32(1 / 255)


def _soft(mask: Array, sigma: float) -> Array:
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), sigma) if sigma > 0.3 else mask)


def _blurred(mask: Array, sigma: float) -> Array:
    """Blur widely, at a quarter of the size."""
    side = mask.shape[0]
    small = cv2.resize(mask, (side // 4, side // 4), interpolation=cv2.INTER_AREA)
    small = cv2.GaussianBlur(small, (0, 0), max(sigma / 4, 0.3))
    return np.asarray(cv2.resize(small, (side, side), interpolation=cv2.INTER_LINEAR))


def _lookup(labels: Image, values: npt.ArrayLike) -> Array:
    table = np.zeros(256, np.float32)
    known = np.asarray(values, np.float32)
    table[1 : 1 + len(known)] = known
    return np.asarray(cv2.LUT(labels, table))


def _grown(
    rng: np.random.Generator,
    height: int,
    width: int,
    along: float,
    across: float,
    extent: float = FIELD,
) -> Array:
    """Return noise grown from coarse cells, `along` × `across` px of `extent` each."""
    rows = min(height, max(2, round(extent / across)))
    columns = min(width, max(2, round(extent / along)))
    coarse = rng.standard_normal((rows, columns), np.float32)
    return np.asarray(cv2.resize(coarse, (width, height), interpolation=cv2.INTER_CUBIC))
