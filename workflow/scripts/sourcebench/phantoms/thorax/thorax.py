"""A procedural chest in three dimensions, cut by CT slices.

The anatomy belongs to a series: its slices show one body, which changes smoothly from one to the
next. Nothing here is a measured person, but for the nodules, which lie where readers drew them.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

import cv2
import numpy as np

from sourcebench.phantoms.canvas import Array, Points, ellipse, smooth, tube
from sourcebench.phantoms.thorax.bones import (
    draw_breastbone,
    draw_ribs,
    draw_shoulders,
    draw_spine,
)
from sourcebench.phantoms.thorax.organs import (
    FAT,
    GAS,
    MUSCLE,
    Person,
    draw_abdomen,
    draw_airways,
    draw_mediastinum,
    draw_wall,
)
from sourcebench.phantoms.thorax.plate import SIDE, Plate, texture
from sourcebench.phantoms.thorax.pose import Lesion, depths, fit
from sourcebench.phantoms.thorax.scanner import draw_scanner, scan
from sourcebench.phantoms.thorax.shape import ANGLES, SIDES, body, cage, dome, lung, polar
from sourcebench.phantoms.thorax.vessels import cut, grow
from sourcebench.seeds import generator

_RECESS_REACH, _RECESS_FADE = 38.0, 14.0  # mm along z


@dataclass(frozen=True)
class Section:
    """A nodule's part in one slice.

    Attributes:
        row: of the image where `share` begins.
        column: the same across.
        share: h×w, 0 to 1, how far each pixel is nodule, as its readers agree.
        hu: of its tissue.
    """

    row: int
    column: int
    share: Array
    hu: float


@dataclass(frozen=True)
class Series:
    """What is known of a scan.

    Attributes:
        uid: SeriesInstanceUID, which seeds the anatomy.
        top: z of the slice nearest to the head, mm.
        bottom: z of the last slice, mm.
        spacing: pixel side, mm.
        thickness: of a slice, mm.
        contrast: whether the blood carries contrast agent.
        lesions: all the scan's nodules; the lungs are fitted to them.
        sections: by z, what the readers drew there.
    """

    uid: str
    top: float
    bottom: float
    spacing: float
    thickness: float
    contrast: bool
    lesions: Sequence[Lesion] = ()
    sections: Mapping[float, Sequence[Section]] = field(default_factory=dict)


class Thorax:
    """The chest of a series.

    Args:
        series: what is known of it; the same series is the same chest, to the bit.
    """

    def __init__(self, series: Series) -> None:
        self.series = series
        rng = generator("phantom", "thorax", series.uid)
        frame = SIDE * series.spacing
        self.person = _draw_person(rng, series.contrast)
        self.pose = fit(rng, series.top, series.bottom, frame, series.lesions)
        self.scanner = draw_scanner(rng, series.thickness)
        self._fissure = rng.uniform(-0.05, 0.05, 2)
        self._skin = 1 + 0.35 * rng.standard_normal(3).clip(-1.5, 1.5)
        self._vessels = grow(rng, self.pose.wide)
        ends = np.array(self._vessels.ends)
        ends[..., :2] = self.pose.mm(ends[..., :2])
        ends[..., 2] = self.pose.apex - ends[..., 2] * (self.pose.apex - self.pose.base)
        self._ends = ends
        deep = depths(self.pose, series.lesions)
        self._stray = [
            lesion
            for lesion, depth in zip(series.lesions, deep, strict=True)
            if depth < 0.4 * min(lesion.radius, 10)
        ]

    def render(self, z: float, nodules: bool = True) -> Array:
        """Return the slice at z (mm): 512×512 float32, HU.

        Args:
            z: in mm, growing towards the head.
            nodules: whether to draw the nodules; without, the slice is otherwise the same.
        """
        series, pose, person = self.series, self.pose, self.person
        t = pose.level(z)
        plate = Plate(series.spacing)
        self._draw_outside(plate, t)
        chest = cage(t)
        if t > 0:
            plate.fill(FAT + 6, pose.mm(polar(chest)))
        draw_abdomen(plate, pose, person, t)
        draw_mediastinum(plate, pose, person, t)
        draw_airways(plate, pose, t)
        draw_ribs(plate, pose, person, t)
        draw_spine(plate, pose, person, t)
        draw_breastbone(plate, pose, person, t)
        draw_shoulders(plate, pose, person, t)
        plate.hu += np.where(plate.hu > -300, 7 * self._texture("tissue", z, 96, 6.0), 0)
        air = self._lungs(plate, z, t)
        if air.any():
            plate.blend(air, self._parenchyma(plate, z, t))
        if nodules:
            for section in series.sections.get(z, ()):
                _draw_nodule(plate, section)
        shoulders = float(np.clip((0.09 - t) / 0.16, 0, 1))
        noise = generator("phantom", "noise", series.uid, f"{z:.3f}")
        return scan(self.scanner, plate.hu, series.spacing, shoulders, noise)

    def _draw_outside(self, plate: Plate, t: float) -> None:
        """Paint the table, the skin, the fat under it and the muscles."""
        pose, person = self.pose, self.person
        lowest = pose.y + pose.deep * 1.02 + person.fat + 9
        across = np.linspace(-215, 215, 40)
        for depth, value in ((0.0, -120), (16.0, -170)):
            sag = (1 - 0.02 * depth) * across**2 / 1100
            curve = np.stack([across, lowest + depth - sag], axis=1)
            plate.fill(value, tube(curve, 2.2))
        muscle = body(t)
        a, b, c = self._skin
        thick = 0.75 + 0.25 * a * np.sin(ANGLES) ** 2 + 0.2 * b * np.cos(2 * ANGLES) ** 2
        thick += 0.9 * abs(c) * np.exp(-(((t - 0.62) / 0.25) ** 2)) * _breasts()
        fat = muscle + np.maximum(thick, 0.35) * person.fat / pose.wide
        plate.fill(-20, pose.mm(polar(fat + 1.6 / pose.wide)))
        plate.fill(FAT - 6, pose.mm(polar(fat)))
        plate.fill(MUSCLE, pose.mm(polar(muscle)))
        draw_wall(plate, pose, person, t, muscle)

    def _lungs(self, plate: Plate, z: float, t: float) -> Array:
        """Return how much of each pixel is lung, recesses for stray nodules included."""
        air = np.zeros((SIDE, SIDE), np.float32)
        if 0 <= t <= 1:
            for side in SIDES:
                one = plate.mask(self.pose.mm(lung(side, t)))
                half = self.series.thickness / 2
                steps = [self.pose.level(z + shift * half) for shift in (-0.8, 0.0, 0.8)]
                floors = [dome(side, level) for level in steps]
                for floor in floors:  # a dome's slope is cut over the slice's whole thickness
                    if floor is not None:
                        air -= one * plate.mask(self.pose.mm(floor)) / len(floors)
                air += one
        for lesion in self._stray:
            fade = (abs(z - lesion.z) - _RECESS_REACH - lesion.radius) / _RECESS_FADE
            if fade < 1:
                self._add_recess(plate, air, lesion, np.sqrt(1 - max(fade, 0)))
        return plate.soften(np.clip(air, 0, 1), 0.5)

    def _add_recess(self, plate: Plate, air: Array, lesion: Lesion, size: float) -> None:
        """Let lung reach a nodule that readers drew where this chest has none.

        The recess goes on over the slices around, with or without a nodule on them, so that it says
        nothing of where one is.
        """
        x, y, radius = lesion.x, lesion.y, (lesion.radius + 6) * size
        middle = np.array([x, y])
        shapes = [ellipse(x, y, radius, radius)]
        rows, columns = np.nonzero(air[::8, ::8] > 0.9)
        if len(rows):
            lungs = (np.stack([columns, rows], axis=1) * 8 - (SIDE - 1) / 2) * plate.spacing
            gap = np.linalg.norm(lungs - middle, axis=1)
            near = lungs[np.argmin(gap)]
            shapes.append(tube(np.stack([middle, near + 0.001]), 1.8 * radius))
        room = np.maximum(plate.mask(*shapes), air)
        rounded = np.clip(3 * plate.soften(room, 4.0) - 1, 0, 1)
        near_by = plate.mask(ellipse(x, y, 2.5 * radius, 2.5 * radius), soft=3)
        np.maximum(air, np.multiply(rounded, near_by), out=air)

    def _parenchyma(self, plate: Plate, z: float, t: float) -> Array:
        """Return the lungs' tissue, vessels and airways in HU, over the whole image."""
        pose, person = self.pose, self.person
        rows = (np.arange(SIDE, dtype=np.float32) - (SIDE - 1) / 2) * plate.spacing
        sinking = 55 * (rows - pose.y) / pose.deep  # blood and weight gather at the back
        coarse = self._texture("coarse", z, 12, 30.0)
        fine = self._texture("fine", z, 128, 4.0)
        tissue: Array = person.lung + sinking[:, None] + 16 * coarse + 17 * fine
        if person.holes > 0:
            holes = np.clip(fine + 0.8 * coarse - 1.6 + person.holes, 0, 1)
            tissue -= 110 * cv2.GaussianBlur(holes, (0, 0), 1.2)
        tissue = tissue.astype(np.float32)
        self._draw_fissures(plate, tissue, t)
        cover, segments, places = cut(
            plate, self._ends, self._vessels.radii, z, self.series.thickness
        )
        tissue += cover * (np.float32(0.6 * person.blood - 40) - tissue)
        self._draw_bronchi(plate, tissue, segments, places)
        return tissue

    def _draw_fissures(self, plate: Plate, tissue: Array, t: float) -> None:
        layer = Plate(plate.spacing)
        layer.hu[:] = 0
        for side, shift in zip(SIDES, self._fissure, strict=True):
            y = 0.62 - 1.25 * (t - 0.18 + shift)
            line = smooth([(side * 0.14, y + 0.10), (side * 0.45, y), (side * 1.0, y + 0.12)])
            layer.fill(1, self.pose.mm(tube(line, 0.9 / self.pose.wide)), share=0.55)
        tissue += layer.hu * (-500 - tissue)

    def _draw_bronchi(
        self, plate: Plate, tissue: Array, segments: np.ndarray, places: Points
    ) -> None:
        """Set a bronchus beside each of the larger arteries."""
        picked = np.nonzero(self._vessels.airways[segments])[0]
        if not len(picked):
            return
        radii = self._vessels.radii[segments[picked]]
        ends = places[picked] + (radii * 1.9)[:, None, None] * np.array([0.7, -0.7])
        full = np.ones(len(picked))
        wall = plate.lines(ends, radii * 1.0 + 0.5, full * 0.75)
        tissue += wall * (np.float32(-380) - tissue)
        hollow = plate.lines(ends, radii * 0.8, full)
        tissue += hollow * (np.float32(GAS + 15) - tissue)

    def _texture(self, name: str, z: float, cells: int, apart: float) -> Array:
        """Return a field of standard deviation 1 that changes along z within about `apart` mm."""
        below = int(np.floor(z / apart))
        planes = [_plane(self.series.uid, name, k, cells) for k in (below, below + 1)]
        return texture(planes, z / apart - below)


@lru_cache(maxsize=32)
def _plane(uid: str, name: str, index: int, cells: int) -> Array:
    rng = generator("phantom", "texture", uid, name, index)
    return rng.standard_normal((cells, cells), np.float32)


def _draw_person(rng: np.random.Generator, contrast: bool) -> Person:
    return Person(
        fat=float(np.clip(rng.gamma(4, 3.4), 3, 32)),
        blood=rng.uniform(130, 230) if contrast else rng.uniform(36, 48),
        bone=float(np.clip(rng.normal(0.95, 0.15), 0.6, 1.3)),
        heart=float(np.clip(rng.normal(1.0, 0.06), 0.85, 1.18)),
        lung=float(np.clip(rng.normal(-855, 22), -905, -800)),
        holes=float(np.clip(rng.normal(-0.2, 0.5), 0, 1)),
        belly=rng.uniform(0, 1),
        stomach=rng.uniform(0.15, 0.6),
    )


def _breasts() -> Points:
    """Return where, among `ANGLES`, there is fat in front, left and right of the midline."""
    turn = [np.radians(angle) for angle in (245, 295)]
    return np.asarray(sum(np.exp(-(((ANGLES - angle) / 0.36) ** 2)) for angle in turn))


def _draw_nodule(plate: Plate, section: Section) -> None:
    height, width = section.share.shape
    window = plate.hu[section.row : section.row + height, section.column : section.column + width]
    window += section.share * (np.float32(section.hu) - window)
