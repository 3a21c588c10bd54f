"""Where a thorax lies in its scan, fitted so that the readers' nodules lie in its lungs."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from sourcebench.phantoms.canvas import Points
from sourcebench.phantoms.thorax.shape import Level

_TRIALS = 320


@dataclass(frozen=True)
class Lesion:
    """A nodule's place: middle (x, y in mm from the image's centre; z in mm) and radius (mm)."""

    x: float
    y: float
    z: float
    radius: float


@dataclass(frozen=True)
class Pose:
    """Millimetres of a scan for the standard thorax.

    Attributes:
        x: of the axis, mm from the image's centre.
        y: as x, towards the back.
        wide: half the inside width of the chest, mm.
        deep: the same for the direction from front to back.
        apex: z of the lungs' top, mm.
        base: z of their lowest recess, mm.
    """

    x: float
    y: float
    wide: float
    deep: float
    apex: float
    base: float

    def mm(self, points: Points) -> Points:
        """Turn points (N×2) of the standard thorax into mm from the image's centre."""
        return np.asarray(points) * (self.wide, self.deep) + (self.x, self.y)

    def level(self, z: float) -> float:
        """Return the level (0 apex, 1 base) at a z in mm."""
        return (self.apex - z) / (self.apex - self.base)


def fit(
    rng: np.random.Generator, top: float, bottom: float, field: float, lesions: Sequence[Lesion]
) -> Pose:
    """Draw a pose, and move and stretch it until the nodules lie in the lungs, as far as it goes.

    Args:
        rng: where the numbers come from.
        top: z of the first slice, mm.
        bottom: z of the last one, mm.
        field: the image's side, mm.
        lesions: the scan's nodules.
    """
    extent = top - bottom
    apex = top - rng.uniform(0.06, 0.10) * extent
    base = bottom + rng.uniform(0.13, 0.20) * extent
    if lesions:  # none above the apex, none under the diaphragm's recess
        heights = np.array([lesion.z for lesion in lesions])
        apex = max(apex, heights.max() + 12)
        base = min(base, heights.min() - 25)
    wide = float(np.clip(0.395 * field * rng.uniform(0.95, 1.04), 112, 168))
    deep = wide * rng.uniform(0.9, 1.0)
    first = Pose(rng.normal(0, 4), 8 + rng.normal(0, 5), wide, deep, apex, base)
    if not lesions:
        return first
    levels = [Level(first.level(lesion.z)) for lesion in lesions]
    best, least = first, _misfit(first, first, lesions, levels)
    reach = np.array([9.0, 9.0, 0.07, 0.07])
    for trial in range(_TRIALS):
        shrink = 1 - 0.75 * trial / _TRIALS
        step = rng.normal(0, 1, 4) * reach * shrink
        tried = Pose(
            best.x + step[0],
            best.y + step[1],
            float(np.clip(best.wide * np.exp(step[2]), 105, 0.45 * field)),
            float(np.clip(best.deep * np.exp(step[3]), 100, 0.46 * field)),
            apex,
            base,
        )
        misfit = _misfit(tried, first, lesions, levels)
        if misfit < least:
            best, least = tried, misfit
    return best


def depths(pose: Pose, lesions: Sequence[Lesion]) -> npt.NDArray[np.float64]:
    """Return how deep (mm) each nodule's middle lies in a lung; negative is outside."""
    return _depths(pose, lesions, [Level(pose.level(lesion.z)) for lesion in lesions])


def _depths(
    pose: Pose, lesions: Sequence[Lesion], levels: Sequence[Level]
) -> npt.NDArray[np.float64]:
    found = [
        level.depth((lesion.x - pose.x) / pose.wide, (lesion.y - pose.y) / pose.deep)
        for lesion, level in zip(lesions, levels, strict=True)
    ]
    return np.array(found, np.float64) * min(pose.wide, pose.deep)


def _misfit(pose: Pose, first: Pose, lesions: Sequence[Lesion], levels: Sequence[Level]) -> float:
    """Add up how far nodules stick out (in mm, squared) and how far the pose is from the first."""
    wanted = np.array([min(lesion.radius, 8) for lesion in lesions])
    out = np.maximum(wanted - _depths(pose, lesions, levels), 0)
    moved = ((pose.x - first.x) / 12) ** 2 + ((pose.y - first.y) / 14) ** 2
    stretched = (np.log(pose.wide / first.wide) / 0.12) ** 2
    stretched += (np.log(pose.deep / first.deep) / 0.12) ** 2
    return float((np.minimum(out, 25) ** 2).sum() / 20 + moved + stretched)
