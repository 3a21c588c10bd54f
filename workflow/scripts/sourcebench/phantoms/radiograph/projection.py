"""Procedural frontal chest radiographs, one per image id.

Attenuation is added up in body coordinates, structure by structure, and one film curve turns the
sum into grey levels: overlaps look as they do in a projection. Nothing here is a measured person.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.phantoms.canvas import Array, Canvas
from sourcebench.phantoms.radiograph import findings as drawn
from sourcebench.phantoms.radiograph.bones import draw_ribs, draw_shoulders, draw_spine
from sourcebench.phantoms.radiograph.chest import build
from sourcebench.phantoms.radiograph.findings.registry import Place
from sourcebench.phantoms.radiograph.tissue import (
    draw_abdomen,
    draw_airway,
    draw_body,
    draw_breasts,
    draw_lungs,
    draw_vessels,
)
from sourcebench.seeds import generator

SIDE = 1024
"""Pixels a side of the image that boxes are marked in; and of every image, if nothing is said."""


@dataclass(frozen=True)
class Box:
    """Where a finding was marked: left, top, width and height in pixels of the 1024² image."""

    finding: str
    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True)
class _Exposure:
    """How the film saw it: the curve's middle and width, its range, grain and collimation."""

    middle: float
    width: float
    low: float
    high: float
    grain: float
    fog: float
    margins: tuple[float, float, float, float]


def render(
    image_id: str,
    *,
    patient: str,
    sex: str,
    age: int,
    view: str,
    findings: Iterable[str],
    boxes: Sequence[Box] = (),
    side: int = SIDE,
) -> Image:
    """Draw the radiograph of an image id: the same arguments give the same pixels.

    The anatomy follows the patient, so that follow-ups look alike; pose, exposure and findings
    follow the image.

    Args:
        image_id: what names the image, such as '00000001_000.png'.
        patient: what names the patient, such as '00000001'.
        sex: 'M' or 'F'.
        age: years.
        view: 'PA' or 'AP'.
        findings: names out of `findings.FINDINGS`; none is a normal chest.
        boxes: where findings lie; a finding without a box is placed by its seed. Boxes of findings
            that are not in `findings` are ignored.
        side: pixels a side, even.

    Returns:
        side×side, uint8; attenuating tissue is bright.

    Raises:
        SourceBenchError: sex, view or a finding is unknown.
    """
    if sex not in ("M", "F"):
        raise SourceBenchError(f"{image_id}: unknown sex '{sex}'; a phantom needs 'M' or 'F'.")
    if view not in ("PA", "AP"):
        raise SourceBenchError(f"{image_id}: unknown view '{view}'; a phantom needs 'PA' or 'AP'.")
    chest = build(generator("phantom", "patient", patient), sex, age, view)
    pose = generator("phantom", "pose", image_id)
    breath = 0.02 * pose.standard_normal()
    for lung in chest.dome:
        chest.dome[lung] += breath
    canvas = Canvas(
        side // 2,
        turn=np.radians(pose.normal(0, 1.2 if view == "PA" else 2.2)),
        scale=pose.uniform(0.93, 1.04) + 0.03 * (view == "AP"),
        shift=(0.035 * pose.standard_normal(), 0.01 + 0.035 * pose.standard_normal()),
    )
    marked: dict[str, list[Place]] = {}
    for box in boxes:
        marked.setdefault(box.finding, []).append(_place(canvas, box))
    for finding in sorted(findings):
        draw = drawn.FINDINGS.get(finding)
        rng = generator("phantom", finding, image_id)
        for place in marked.get(finding, [None]):
            draw(chest, rng, place)
    draw_body(canvas, chest, arms=pose.uniform(0.02, 0.3))
    draw_lungs(canvas, chest)
    draw_breasts(canvas, chest)
    draw_abdomen(canvas, chest, generator("phantom", "abdomen", image_id))
    draw_spine(canvas, chest)
    draw_airway(canvas, chest)
    draw_ribs(canvas, chest)
    draw_shoulders(canvas, chest, raise_=0.03 * pose.standard_normal())
    draw_vessels(canvas, chest, generator("phantom", "vessels", patient))
    for overlay in chest.overlays:
        overlay(canvas)
    canvas.depth += canvas.vessels * canvas.air
    return _expose(canvas, _exposure(image_id, view), chest.haze, image_id, side)


def _place(canvas: Canvas, box: Box) -> Place:
    """Turn a box in pixels of the 1024² image into a place in body coordinates."""
    half = SIDE / 2
    centre = np.array([[(box.x + box.w / 2) / half - 1, (box.y + box.h / 2) / half - 1]])
    x, y = canvas.to_body(centre)[0]
    return Place(float(x), float(y), box.w / SIDE, box.h / SIDE)


def _exposure(image_id: str, view: str) -> _Exposure:
    rng = generator("phantom", "exposure", image_id)
    portable = view == "AP"
    cut = np.where(rng.uniform(size=4) < 0.22, rng.uniform(0.01, 0.07, 4), 0)
    return _Exposure(
        middle=0.56 + 0.05 * rng.standard_normal() - 0.03 * portable,
        width=(0.185 if portable else 0.165) * float(np.exp(0.12 * rng.standard_normal())),
        low=rng.uniform(0, 8),
        high=float(np.clip(228 + 12 * rng.standard_normal(), 195, 252)),
        grain=rng.uniform(1.3, 2.3),
        fog=rng.uniform(0.03, 0.08) + 0.05 * portable,
        margins=(float(cut[0]), float(cut[1]), float(cut[2]), float(cut[3])),
    )


def _expose(canvas: Canvas, film: _Exposure, haze: float, image_id: str, side: int) -> Image:
    """Turn attenuation into grey levels, enlarge to full size and add the film's grain."""
    rng = generator("phantom", "film", image_id)
    depth = canvas.depth + 0.022 * canvas.noise(rng, 5, 5)
    # Scattered light: a little of everything, everywhere.
    small = cv2.resize(depth, None, fx=0.125, fy=0.125, interpolation=cv2.INTER_AREA)
    glow = cv2.GaussianBlur(small, (0, 0), small.shape[0] * 0.08)
    glow = cv2.resize(glow, depth.shape, interpolation=cv2.INTER_LINEAR)
    depth += haze + film.fog * np.clip(glow - depth, -1, 1)
    grey = 1 / (1 + np.exp((film.middle - depth) / film.width))
    floor = 1 / (1 + np.exp(film.middle / film.width))
    grey = film.low + (film.high - film.low) * np.maximum(grey - floor, 0) / (1 - floor)
    full: Array = cv2.resize(grey.astype(np.float32), (side, side), interpolation=cv2.INTER_CUBIC)
    grain = rng.standard_normal((side, side), np.float32)
    grain += 1.6 * cv2.GaussianBlur(grain, (3, 3), 0.8)  # silver clumps
    full += np.float32(film.grain * 0.5) * grain
    left, top, right, bottom = (round(margin * side) for margin in film.margins)
    full[:, :left] *= 0.06
    full[:top] *= 0.06
    full[:, side - right :] *= 0.06
    full[side - bottom :] *= 0.06
    return np.asarray(np.clip(full + 0.5, 0, 255), np.uint8)
