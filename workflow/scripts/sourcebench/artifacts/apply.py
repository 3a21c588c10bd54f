"""From the originals to arrays in which every image carries the artifact."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TextIO

import numpy as np
import numpy.typing as npt
from tqdm import tqdm

from sourcebench.artifacts.base import Artifact
from sourcebench.artifacts.draft import PAUSE, Draft, draft
from sourcebench.artifacts.drawing import Layer, draw, fingerprint
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image


def write_layer(
    artifact: Artifact,
    layer: Layer,
    native: npt.NDArray[np.uint8],
    image_ids: Sequence[str],
    *,
    rows: Sequence[int] | None = None,
    input_size: int,
    resize_method: str,
    seed: int,
    path: Path,
    threads: int = 1,
    terminal: TextIO | None = None,
) -> None:
    """Write the array of a layer, M × input_size × input_size (× C), in the originals' order.

    The file appears whole or not at all, and is the same for any number of threads and however
    often the work was interrupted: what takes long goes on where it stopped (see `Draft`), if
    whatever decides the result is still the same.

    Args:
        artifact: what is drawn.
        layer: 'artifact' or 'base'; the latter only if `artifact.needs_base(input_size)`.
        native: the originals, N×H×W, or N×H×W×C of several channels, uint8.
        image_ids: their names, N of them.
        rows: of the M images that are drawn, in order; None for all N.
        input_size: side of the results in px.
        resize_method: as in `draw`.
        seed: the study's seed.
        path: the file to write (`.npy`).
        threads: images drawn at the same time; numpy, scipy and PyTorch let go of Python's lock.
        terminal: for a progress bar, if this is a terminal and the work takes long.

    Raises:
        SourceBenchError: as many names as images there are not, images without the artifact are
            the task's own but 'base' is asked for, the artifact makes something else than
            images, or changes none of them, it cannot be drawn on this machine, or the disk is
            full.
    """
    if len(image_ids) != len(native):
        raise SourceBenchError(
            f"{path}: there are {len(native)} originals for {len(image_ids)} rows of the samples' "
            "table; prepare the task again."
        )
    if layer == "base" and not artifact.needs_base(input_size):
        raise SourceBenchError(
            f"{path}: the artifact '{artifact.kind}' leaves images without the artifact as "
            "they are; use the task's images instead of a base layer."
        )

    chosen = range(len(native)) if rows is None else rows

    def one(layer: Layer, place: int) -> Image:
        return draw(
            artifact,
            layer,
            np.asarray(native[chosen[place]]),
            image_ids[chosen[place]],
            input_size=input_size,
            resize_method=resize_method,
            seed=seed,
        )

    def key() -> str:
        names = [image_ids[row] for row in chosen]
        facts = (fingerprint(artifact), artifact.engine, layer, names)
        images = (native[row] for row in chosen)
        return _digest(images, native.shape, *facts, input_size, resize_method, seed)

    count = len(chosen)
    shape = (count, input_size, input_size, *native.shape[3:])
    with draft(path, shape, key) as drawn, ThreadPoolExecutor(threads) as pool:

        def fill(place: int) -> None:
            drawn.images[place] = one(layer, place)

        if drawn.done:
            print(f"{path}: {drawn.done} of {count} images were drawn before; going on.")
        bar = tqdm(
            desc=f"{artifact.title} ({layer})",
            total=count,
            initial=drawn.done,
            unit="image",
            delay=PAUSE,
            file=terminal,
            disable=terminal is None or not terminal.isatty(),
        )
        try:
            # In order, whichever thread is first; an error in a thread is raised here.
            for done, _ in enumerate(pool.map(fill, range(drawn.done, count)), drawn.done):
                bar.update()
                if drawn.advance(done + 1):
                    print(f"{path}: {drawn.done} of {count} images are drawn.")
        except BaseException:
            pool.shutdown(cancel_futures=True)  # the rest is not begun
            raise
        finally:
            bar.close()
        if layer == "artifact":
            _check_changes(artifact, drawn, (one("base", place) for place in range(count)))


def _check_changes(artifact: Artifact, drawn: Draft, without: Iterator[Image]) -> None:
    """Refuse an artifact that changes no image; print how many it leaves as they are.

    Where a base is drawn, that takes as long as the artifact did: there the first image that is
    changed will do, and nothing is counted.
    """
    same = map(np.array_equal, drawn.images, without)
    unchanged, count = 0, len(drawn.images)
    for each in same:
        unchanged += each
        if artifact.has_base and not each:
            return
    if unchanged == count:
        drawn.forget()
        raise SourceBenchError(
            f"{drawn.path}: the artifact '{artifact.title}' of kind '{artifact.kind}' "
            f"({artifact.describe()}) changes none of the {count} images of "
            f"{drawn.images.shape[1]} px; choose parameters with which it shows."
        )
    if unchanged:
        print(f"{drawn.path}: {unchanged} of {count} images are the same without the artifact.")


def _digest(images: Iterable[Image], *facts: object) -> str:
    """Return what names these images and facts, and no others: 32 hexadecimal digits."""
    digest = hashlib.blake2b(json.dumps(facts, default=str).encode(), digest_size=16)
    for image in images:
        digest.update(np.ascontiguousarray(image).data)
    return digest.hexdigest()
