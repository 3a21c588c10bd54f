"""From the originals to arrays in which every image carries the artifact."""

import hashlib
import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Literal, TextIO

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from sourcebench import seeds
from sourcebench.confounders.base import PixelConfounder
from sourcebench.confounders.draft import PAUSE, draft
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
    terminal: TextIO | None = None,
) -> None:
    """Write the array of a layer, N × input_size × input_size, uint8, in the originals' order.

    The file appears whole or not at all, and is the same for any number of threads and however
    often the work was interrupted: what takes long goes on where it stopped (see `Draft`), if
    whatever decides the result is still the same.

    Args:
        confounder: what is drawn.
        layer: 'artifact' or 'base'; the latter only if `confounder.has_base`.
        native: the originals, N×H×W, uint8.
        image_ids: their names, N of them.
        input_size: side of the results in px.
        resize_method: as in `draw`.
        seed: the study's seed.
        path: the file to write (`.npy`).
        threads: images drawn at the same time; numpy, scipy and PyTorch let go of Python's lock.
        terminal: for a progress bar, if this is a terminal and the work takes long.

    Raises:
        SourceBenchError: as many names as images there are not, the confounder leaves images
            without the artifact as they are but 'base' is asked for, the confounder cannot be
            drawn on this machine, or the disk is full.
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

    def key() -> str:
        facts = (confounder.kind, repr(confounder), confounder.engine, layer, list(image_ids))
        return _digest(native, *facts, input_size, resize_method, seed)

    shape = (len(native), input_size, input_size)
    with draft(path, shape, key) as drawn, ThreadPoolExecutor(threads) as pool:

        def fill(row: int) -> None:
            drawn.images[row] = draw(
                confounder,
                layer,
                np.asarray(native[row]),
                image_ids[row],
                input_size=input_size,
                resize_method=resize_method,
                seed=seed,
            )

        if drawn.done:
            print(f"{path}: {drawn.done} of {len(native)} images were drawn before; going on.")
        bar = tqdm(
            desc=f"{confounder.title} ({layer})",
            total=len(native),
            initial=drawn.done,
            unit="image",
            delay=PAUSE,
            file=terminal,
            disable=terminal is None or not terminal.isatty(),
        )
        try:
            # In order, whichever thread is first; an error in a thread is raised here.
            for done, _ in enumerate(pool.map(fill, range(drawn.done, len(native))), drawn.done):
                bar.update()
                if drawn.advance(done + 1):
                    print(f"{path}: {drawn.done} of {len(native)} images are drawn.")
        except BaseException:
            pool.shutdown(cancel_futures=True)  # the rest is not begun
            raise
        finally:
            bar.close()


def _digest(images: npt.NDArray[np.uint8], *facts: object) -> str:
    """Return what names these images and facts, and no others: 32 hexadecimal digits."""
    digest = hashlib.blake2b(
        json.dumps([images.shape, *facts], default=str).encode(), digest_size=16
    )
    for image in images:
        digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()
