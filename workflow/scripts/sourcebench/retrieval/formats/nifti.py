"""Reading slices of NIfTI volumes."""

import gzip
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache, partial
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.retrieval.formats.base import (
    FORMATS,
    HEAD,
    Format,
    Window,
    check_size,
    several,
    slice_named,
    unread,
)
from sourcebench.retrieval.formats.pixels import image_of, to_8_bits
from sourcebench.retrieval.formats.whole import damaged

T = TypeVar("T")

ZIPPED = b"\x1f\x8b"
MAGIC = {1: (344, b"n+1\0"), 2: (4, b"n+2\0\r\n\x1a\n")}
"""Where in the header of each version stands what."""

HEADER = 352
"""Bytes that tell the version, and no more than the smallest file has."""

MAX_VOXELS = 2**31
"""The most that a volume may have, since all of it is read for its range."""

REMEMBERED = 4096
"""Volumes whose range is remembered."""


@FORMATS.register("nifti")
class NIfTI(Format):
    """NIfTI-1 and -2 in one file, zipped or not: an image, or a slice of a volume.

    A slice is that of the third axis as it is stored, by its number from 0: `scan.nii.gz#12`. It
    is turned as a viewer of DICOM shows it, as the affine says: the columns go to the patient's
    left (or to the back, in sagittal slices), the rows to the back or the feet, whichever axes of
    the body these are the closest to. Pixels that are not square stay so.

    Black and white are the window's values, or else the lowest and the highest finite value of the
    whole volume (scl_slope and scl_inter applied), so that its slices are alike; what is not a
    number is black. RGB is taken as it is. A volume is read to its end once, which proves it
    whole; a slice then takes as long as it does to unzip what is before it.
    """

    title = "NIfTI"
    suffixes = (".nii", ".nii.gz")
    sliced = True

    def begins(self, head: bytes) -> bool:
        """Return whether the header is there, which may be zipped."""
        return _version(head) is not None

    def depth(self, path: Path) -> int:
        """Return how many slices a volume has, as its header says."""
        with _opened(path) as volume:
            return _depth(path, volume)

    def read(self, path: Path, window: Window | None) -> Image:
        """Read an image, or the slice that the path names."""
        file, number = slice_named(path)
        status = file.stat()
        bounds = _bounds(file, status.st_size, status.st_mtime_ns)
        with _opened(file) as volume:
            plane = _plane(file, volume.shape, number)
            values = _tried(file, lambda: np.asarray(volume.dataobj[plane]))
            values = _as_shown(file, values, volume.affine)
        if values.dtype.names:
            return image_of(np.stack([values[name] for name in "RGB"], axis=-1))
        return image_of(to_8_bits(values, window or bounds))


def _version(head: bytes) -> int | None:
    if head.startswith(ZIPPED):
        try:
            head = zlib.decompressobj(31).decompress(head, HEADER)
        except zlib.error:
            return None
    for version, (place, magic) in MAGIC.items():
        if head[place : place + len(magic)] == magic:
            return version
    return None


@contextmanager
def _opened(path: Path) -> Iterator[Any]:
    """Open a file, with nibabel, whatever its name is; the pixels are not read yet."""
    import nibabel

    with path.open("rb") as file:
        head = file.read(HEAD)
        file.seek(0)
        stream: Any = gzip.GzipFile(fileobj=file) if head.startswith(ZIPPED) else file
        make: Any = nibabel.Nifti1Image if _version(head) == 1 else nibabel.Nifti2Image
        yield _tried(path, lambda: make.from_stream(stream))


def _tried(path: Path, work: Callable[[], T]) -> T:
    try:
        return work()
    except Exception as error:  # damage leads nibabel into errors of any kind
        why = str(error).partition("\n")[0] or type(error).__name__
        raise damaged(path, f"it can't be read as NIfTI ({why})") from error


@lru_cache(REMEMBERED)
def _bounds(path: Path, _size: int, _time: int) -> Window:
    """Read a volume to its end, and return its lowest and highest finite value; (0, 0) of RGB."""
    with _opened(path) as volume:
        depth = _depth(path, volume)
        rest = (0,) * (len(volume.shape) - 3)
        planes = [(..., i, *rest) for i in range(depth)] if len(volume.shape) > 2 else [...]
        bounds = [_tried(path, partial(_range, volume, plane)) for plane in planes]
        stream: Any = volume.file_map["image"].fileobj
        _tried(path, lambda: _drain(stream))
    finite = [each for each in bounds if each is not None]
    if not finite:
        return (0.0, 0.0)
    return min(low for low, _ in finite), max(high for _, high in finite)


def _range(volume: Any, plane: Any) -> Window | None:
    values = np.asarray(volume.dataobj[plane])
    if values.dtype.names:
        return None
    finite = values[np.isfinite(values)]
    return (float(finite.min()), float(finite.max())) if finite.size else None


def _drain(stream: Any) -> None:
    """Read to the end, where a zipped file has its checksum."""
    while stream.read(1 << 20):
        pass


def _depth(path: Path, volume: Any) -> int:
    """Return the number of slices of a volume; refuse what is none, or too large."""
    shape, kind = volume.shape, volume.get_data_dtype()
    if len(shape) < 2 or any(length != 1 for length in shape[3:]):
        sizes = "×".join(map(str, shape))
        raise several(path, f"an array of {sizes} values")
    if kind.kind not in "iuf" and not set("RGB") <= set(kind.names or ()):
        raise unread(path, f"a NIfTI of the type {kind}")
    check_size(path, shape[0], shape[1])
    depth = int(shape[2]) if len(shape) > 2 else 1
    if shape[0] * shape[1] * depth > MAX_VOXELS:
        raise unread(path, f"a volume of more than {MAX_VOXELS:,} voxels")
    return depth


def _plane(path: Path, shape: tuple[int, ...], number: int | None) -> tuple[Any, ...]:
    """Return what picks a slice out of a volume of this shape."""
    depth = shape[2] if len(shape) > 2 else 1
    if number is None and depth != 1:
        raise SourceBenchError(
            f"{path} holds {depth} slices, not one image. Name the slice, from 0, as in "
            f"'{path.name}#{depth // 2}', or leave the file out."
        )
    if number is not None and number >= depth:
        raise SourceBenchError(
            f"{path} has no slice {number}: it has {depth}, numbered from 0. Name another."
        )
    whole = (slice(None), slice(None))
    return whole if len(shape) == 2 else (*whole, number or 0, *(0 for _ in shape[3:]))


def _as_shown(path: Path, values: NDArray[Any], affine: NDArray[np.float64]) -> NDArray[Any]:
    """Return a slice (first axis × second) as rows × columns, turned as `NIfTI` says."""
    import nibabel

    orient: Any = nibabel.io_orientation
    orientation = _tried(path, lambda: orient(affine))[:2]
    if np.isnan(orientation).any():
        raise damaged(path, "its header doesn't say where its axes point")
    # Axis of the body (right, front, top), and whether the numbers grow along with it.
    for axis, (_, direction) in enumerate(orientation):
        if direction > 0:
            values = np.flip(values, axis)
    return values.T if orientation[0, 0] < orientation[1, 0] else values
