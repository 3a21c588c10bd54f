"""Small pictures of a task's images, whatever their channels."""

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image as Picture

from sourcebench.explorer.embedding import POINT
from sourcebench.files import atomic
from sourcebench.imaging import Image, resize
from sourcebench.training.data import Layers

SIDE = 128
"""px, at most."""

COLOURS = ((0, 0, 1), (0, 1, 0), (1, 0, 0), (0, 1, 1), (1, 0, 1), (1, 1, 0))
"""Of channels, where they are not three: blue, green, red, cyan, magenta, yellow, as cells in the
six stains of RxRx1 are usually shown."""

CHUNK = 256
"""So many images are read at a time."""


def visible(image: Image) -> Image:
    """Return an image as a screen shows it: H×W grey, or H×W×3 in red, green and blue, uint8.

    One channel stays grey, three are taken as they are. Each of any other number is in the colour
    of `COLOURS` whose turn it is, and these are laid over each other as slides are on a screen: of
    levels a, b, … in [0, 1] it shows 1 − (1 − a)(1 − b)…. Nothing is stretched, so that a brighter
    image looks brighter.

    Args:
        image: H×W or H×W×C, uint8.
    """
    if image.ndim == 2:
        return image
    channels = image.shape[2]
    if channels == 1:
        return image[..., 0]
    if channels == 3:
        return image
    dark = np.ones((*image.shape[:2], 3))
    for channel in range(channels):
        colour = np.array(COLOURS[channel % len(COLOURS)])
        dark *= 1 - image[..., channel, None] / 255 * colour
    shown: Image = np.round(255 * (1 - dark)).astype(np.uint8)
    return shown


def name_of(image_id: str, layer: str) -> str:
    """Return the name of a thumbnail's file; an image's own may hold what no file's can."""
    digest = hashlib.blake2b(f"{layer}\x1f{image_id}".encode(), digest_size=8)
    return f"thumbnails/{digest.hexdigest()}.png"


def names_of(points: pd.DataFrame) -> list[str]:
    """Return the name of each row's thumbnail."""
    return [name_of(*point) for point in points[POINT].itertuples(index=False, name=None)]


def write(points: pd.DataFrame, layers: Layers, folder: Path) -> None:
    """Write thumbnails as PNG, no larger than 128 px.

    Args:
        points: `image_id, layer`; one that stands there twice is written once.
        layers: the task's arrays.
        folder: in which `thumbnails/` is made.
    """
    points = points[POINT].drop_duplicates(ignore_index=True)
    (folder / "thumbnails").mkdir(parents=True, exist_ok=True)
    for first in range(0, len(points), CHUNK):
        part = points.iloc[first : first + CHUNK]
        images = layers.read(part["image_id"], part["layer"]).numpy()
        for image, name in zip(images, names_of(part), strict=True):
            shown = visible(image)
            shown = resize(shown, min(SIDE, shown.shape[0]), "antialiased")
            with atomic(folder / name) as temporary:
                Picture.fromarray(shown).save(temporary)
