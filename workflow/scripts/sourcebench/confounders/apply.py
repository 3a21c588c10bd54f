"""From the originals to arrays in which every image carries the artifact."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt

from sourcebench import files, seeds
from sourcebench.confounders.base import PixelConfounder
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image, resize

Layer = Literal["artifact", "base"]
"""Images with the artifact, or, where these are altered as well, those without it."""


def draw(
    confounder: PixelConfounder,
    layer: Layer,
    image: Image,
    image_id: str,
    *,
    input_size: int,
    resize_method: str,
    seed: int,
) -> Image:
    """Return one image of a layer.

    Its random numbers are a stream of its own, named by seed, kind, layer and `image_id`. They do
    not depend on the confounder's parameters: two doses are compared on the same draws.

    Args:
        confounder: what is drawn.
        layer: 'artifact' or 'base'.
        image: the original, H×W, uint8.
        image_id: its name.
        input_size: side of the result in px.
        resize_method: how the result gets that side, see `imaging.resize`. The size at
            which the confounder acts is always reached by 'nearest': a resize that averages (the
            reference has a bilinear one there) would smooth the images that carry the artifact,
            and so be a confounder of its own.
        seed: the study's seed.

    Returns:
        input_size × input_size, uint8.
    """
    rng = seeds.generator(seed, confounder.kind, layer, image_id)
    if confounder.resolution is not None:
        image = resize(image, confounder.resolution, "nearest")
    drawn = confounder.artifact(image, rng) if layer == "artifact" else confounder.base(image, rng)
    return resize(drawn, input_size, resize_method)


def write_layer(
    confounder: PixelConfounder,
    layer: Layer,
    native: npt.NDArray[np.uint8],
    image_ids: Sequence[str],
    *,
    input_size: int,
    resize_method: str,
    seed: int,
    path: Path,
    threads: int = 1,
) -> None:
    """Write the array of a layer, N × input_size × input_size, uint8, in the originals' order.

    The file appears whole or not at all, and is the same for any number of threads.

    Args:
        confounder: what is drawn.
        layer: 'artifact' or 'base'; the latter only if `confounder.has_base`.
        native: the originals, N×H×W, uint8.
        image_ids: their names, N of them.
        input_size: side of the results in px.
        resize_method: as in `draw`.
        seed: the study's seed.
        path: the file to write (`.npy`).
        threads: images drawn at the same time; numpy and scipy let go of Python's lock.

    Raises:
        SourceBenchError: as many names as images there are not, the confounder leaves images
            without the artifact as they are but 'base' is asked for, or the disk is full.
    """
    if len(image_ids) != len(native):
        raise SourceBenchError(
            f"{path}: there are {len(native)} originals for {len(image_ids)} rows of the samples' "
            "table; prepare the task again."
        )
    if layer == "base" and not confounder.has_base:
        raise SourceBenchError(
            f"{path}: the confounder '{confounder.kind}' leaves images without the artifact as "
            "they are; use the task's images instead of a base layer."
        )

    shape = (len(native), input_size, input_size)
    with files.new_array(path, shape) as images, ThreadPoolExecutor(threads) as pool:

        def fill(row: int) -> None:
            images[row] = draw(
                confounder,
                layer,
                np.asarray(native[row]),
                image_ids[row],
                input_size=input_size,
                resize_method=resize_method,
                seed=seed,
            )

        for _ in pool.map(fill, range(len(native))):
            pass  # an error in a thread is raised here, and the rest is not begun
