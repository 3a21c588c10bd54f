"""A task's images as arrays: every original is decoded once."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pandas as pd

from sourcebench import files, imaging
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Frame, Image

Reader = Callable[[str, Path], tuple[Image, tuple[str, ...]]]

NAMED = 20
"""So many images that can't be read are named in an error; the log has all."""


def write_arrays(
    samples: pd.DataFrame,
    paths: Mapping[str, str],
    read: Reader,
    *,
    size: int,
    method: str,
    images: Path,
    native: Path,
    keep_native: bool,
    channels: int | None = None,
    frame: Frame | None = None,
    threads: int = 1,
) -> dict[str, list[str]]:
    """Decode every image once, and write them at the task's input size and at their own.

    Args:
        samples: the manifest; row i becomes image i.
        paths: image_id → path of the original.
        read: reads an original, see `Dataset.image`.
        size: the task's input size in px.
        method: how to resize, see `imaging.resize`.
        images: becomes N×size×size, or N×size×size×C where images have several channels, uint8.
        native: becomes N×H×W or N×H×W×C, uint8, the originals' size or the frame's, for the
            confounders; an array of no images unless `keep_native`.
        keep_native: whether a confounder will read `native`.
        channels: of the arrays; None: those that the originals have, who must be alike.
        frame: makes originals of any size squares of one; None: they must be alike.
        threads: decoding threads.

    Returns:
        What was odd about originals, and the `image_id` of those it was odd about.

    Raises:
        SourceBenchError: an image is missing, damaged, of another kind, size or number of
            channels. All are read before it is said, and it names those that can't be read.
    """
    names = list(samples["image_id"])
    originals = [Path(paths[image_id]) for image_id in names]
    first, shape, damage = _first(names, originals, read, channels, frame)
    n = len(originals)
    odd: dict[str, list[str]] = {}
    unlike: dict[int, SourceBenchError] = {}

    with (
        files.new_array(images, (n, size, size, *shape[2:])) as small,
        files.new_array(native, (n if keep_native else 0, *shape)) as large,
    ):

        def decode(row: int) -> tuple[str, ...]:
            try:
                image, remarks = _original(names[row], originals[row], read, channels, frame)
            except SourceBenchError as error:  # the others are read all the same, to tell of all
                damage[row] = error
                return ()
            try:
                _require_alike(originals[row], image.shape, originals[first], shape)
            except SourceBenchError as error:
                unlike[row] = error
            if not damage and not unlike:
                small[row] = imaging.resize(image, size, method)
                if keep_native:
                    large[row] = image
            return remarks

        with ThreadPoolExecutor(threads) as pool:
            for row, remarks in enumerate(pool.map(decode, range(first, n)), first):
                for remark in remarks:
                    odd.setdefault(remark, []).append(names[row])
        if damage or unlike:
            raise _all_of(damage, unlike, originals)
    return odd


def _first(
    names: Sequence[str],
    originals: Sequence[Path],
    read: Reader,
    channels: int | None,
    frame: Frame | None,
) -> tuple[int, tuple[int, ...], dict[int, SourceBenchError]]:
    """Return the first original that can be read, its shape, and why those before it can't be."""
    damage: dict[int, SourceBenchError] = {}
    for row, (name, path) in enumerate(zip(names, originals, strict=True)):
        try:
            return row, _original(name, path, read, channels, frame)[0].shape, damage
        except SourceBenchError as error:
            damage[row] = error
    raise _all_of(damage, {}, originals)


def _all_of(
    damage: Mapping[int, SourceBenchError],
    unlike: Mapping[int, SourceBenchError],
    originals: Sequence[Path],
) -> SourceBenchError:
    """Return the error of all originals that can't be used, and print why each can't be read."""
    rows = sorted(damage) or sorted(unlike)[:1]
    errors = damage or unlike
    if len(rows) == 1:
        return errors[rows[0]]
    for row in rows:
        print(errors[row])
    named = ", ".join(str(originals[row]) for row in rows[:NAMED])
    more = f" and {len(rows) - NAMED:,} more" if len(rows) > NAMED else ""
    return SourceBenchError(
        f"{len(rows):,} of {len(originals):,} images can't be read: {named}{more}; the log says "
        f"why each can't. The first: {errors[rows[0]]}"
    )


def _original(
    name: str, path: Path, read: Reader, channels: int | None, frame: Frame | None
) -> tuple[Image, tuple[str, ...]]:
    """Return an original in the channels and the frame that are asked for, and what was odd."""
    image, remarks = read(name, path)
    there = imaging.channels_of(image)
    if channels is not None and there != channels:
        changed = imaging.to_channels(image, channels)
        if changed is None:
            raise SourceBenchError(
                f"{path} has {there} channels, but the task's channels is {channels}; grey can "
                "become three, and three grey, and no other number can become another."
            )
        image, remarks = changed, (*remarks, "made_grey" if channels == 1 else "grey_repeated")
    return image if frame is None else frame(image), remarks


def _require_alike(
    path: Path, shape: tuple[int, ...], first: Path, wanted: tuple[int, ...]
) -> None:
    """Refuse an image of another shape than the first one's."""
    if shape[:2] != wanted[:2]:
        raise SourceBenchError(
            f"{path} is {shape[1]}×{shape[0]} px, but {first.name} is {wanted[1]}×{wanted[0]} px; "
            "images of several sizes need a fit: set the task's to pad, crop or stretch."
        )
    if shape != wanted:
        channels = [each[2] if len(each) > 2 else 1 for each in (shape, wanted)]
        raise SourceBenchError(
            f"{path} has {channels[0]} channels, but {first.name} has {channels[1]}; set the "
            "task's channels to 1 for grey, or to 3 for colour."
        )
