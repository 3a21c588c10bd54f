"""One field of a well, as the microscope takes it."""

from functools import cache

import cv2
import numpy as np

from sourcebench.imaging import Image
from sourcebench.phantoms.canvas import Array
from sourcebench.phantoms.cells.batches import Batch, batch
from sourcebench.phantoms.cells.fields import FIELD, field
from sourcebench.phantoms.cells.looks import look
from sourcebench.phantoms.cells.stains import STAINS
from sourcebench.seeds import generator

_SLACK = 97


def render(
    well: str,
    *,
    site: int,
    plate: int,
    experiment: str,
    cell_type: str,
    sirna: str,
    side: int = FIELD,
) -> Image:
    """Draw a site of a well in six stains.

    All siRNAs have their own effect on the cells; wells, sites and cells differ by chance; whatever
    was done on one day, and then on one plate, is stained and taken alike.

    Args:
        well: its name, unique among all experiments.
        site: which place of the well.
        plate: which of the experiment's.
        experiment: its name.
        cell_type: one of `looks.CELL_TYPES`.
        sirna: its name; `looks.UNTREATED` for none.
        side: px a side; the field is the same at any.

    Returns:
        side×side×6, uint8, in the order of `STAINS`.

    Raises:
        SourceBenchError: an unknown cell type.
    """
    cells = look(cell_type, sirna, well)
    rng = generator("phantom", "site", well, site)
    place = field(cells, side, rng)
    optics = batch(experiment, plate)
    light = optics.illumination(side)
    image = np.empty((side, side, len(STAINS.names())), np.uint8)
    for channel, name in enumerate(STAINS.names()):
        signal = STAINS.get(name)(place, rng) * cells.intensity[channel]
        image[..., channel] = _taken(signal, channel, optics, light, rng)
    return image


def _taken(
    signal: Array, channel: int, optics: Batch, light: Array, rng: np.random.Generator
) -> Image:
    """Return what the camera sees of a stain: blurred, unevenly lit, and with noise."""
    side = signal.shape[0]
    sigma = float(optics.blur[channel]) * side / FIELD
    if sigma > 0.3:
        signal = np.asarray(cv2.GaussianBlur(signal, (0, 0), sigma))
    seen = (signal * optics.gain[channel] + optics.background[channel]) * light
    row, column = rng.integers(_SLACK, size=2)
    grain = _grain(side)[row : row + side, column : column + side]
    seen += optics.noise * np.sqrt(seen) * grain
    return np.asarray(np.clip(seen * 255 + 0.5, 0, 255), np.uint8)


@cache
def _grain(side: int) -> Array:
    """Return noise of mean 0 and standard deviation 1, somewhat larger than an image."""
    shape = (side + _SLACK, side + _SLACK)
    return generator("phantom", "grain").standard_normal(shape, np.float32)
