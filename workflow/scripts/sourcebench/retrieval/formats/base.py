"""What a format of images is, and what every reader of one keeps to."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar

from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.registry import Registry

Window = tuple[float, float]
"""The values that become 0 and 255."""

HEAD = 4096
"""Bytes at the beginning of a file that a format is known by."""

MAX_PIXELS = 2**28
"""The most that an image may have: 16,384², 0.8 GB in colour. A file of a few kilobytes can claim
any number, and a decoder would take the memory for it, so it is asked before anything is decoded.
"""

MAX_SIDE = 65_535
"""The longest side, in px: what a JPEG can have at most."""


class Format(ABC):
    """A format of image files; one of several is a file of this folder that registers it.

    Attributes:
        title: for people, as in 'a damaged PNG'.
        suffixes: of its files' names, in small letters; the content counts, not the name.
        sliced: whether a path may name one of several slices, see `slice_named`.
    """

    title: ClassVar[str]
    suffixes: ClassVar[tuple[str, ...]]
    sliced: ClassVar[bool] = False

    @abstractmethod
    def begins(self, head: bytes) -> bool:
        """Return whether a file that begins with these bytes, at most `HEAD`, is of this format."""

    def depth(self, path: Path) -> int:
        """Return how many slices a file has, as its header says; 1 of what has none."""
        return 1

    @abstractmethod
    def read(self, path: Path, window: Window | None) -> Image:
        """Read the one image of a file.

        Args:
            path: of the file.
            window: the values that become 0 and 255, for images of more than 8 bits.

        Returns:
            H×W or H×W×3 (RGB), uint8.

        Raises:
            SourceBenchError: the file is damaged, holds several images, or a kind that is not read.
        """


FORMATS: Registry[type[Format]] = Registry("image format")


def slice_named(path: Path) -> tuple[Path, int | None]:
    """Return the file that a path names, and the number of the slice in it, from 0.

    `scan.nii.gz#12` is the slice 12 of scan.nii.gz; if there is a file of just this name, it is
    that one, and no slice is named.
    """
    name, _, number = path.name.rpartition("#")
    if not name or not number.isdecimal() or path.exists():
        return path, None
    return path.with_name(name), int(number)


def check_size(path: Path, width: int, height: int) -> None:
    """Refuse an image that is empty, too long or too large, before it is decoded.

    Args:
        path: of its file.
        width: in px, as the header says.
        height: likewise.

    Raises:
        SourceBenchError: it is one of these.
    """
    if min(width, height) < 1:
        raise SourceBenchError(
            f"{path} has an image of {width}×{height} px, which is none. Get the file again, or "
            "leave it out."
        )
    if max(width, height) > MAX_SIDE or width * height > MAX_PIXELS:
        raise SourceBenchError(
            f"{path} says that its image has {width:,}×{height:,} px; at most {MAX_SIDE:,} a side "
            f"and {MAX_PIXELS:,} in all are read. Cut or shrink it, or leave it out."
        )


def several(path: Path, what: str) -> SourceBenchError:
    """Return the error of a file that holds more than one image.

    Args:
        path: of the file.
        what: it holds, such as 'an animation'.
    """
    return SourceBenchError(
        f"{path} holds {what}, not one image. Write the image that you mean to a file of its own, "
        "or leave it out."
    )


def unread(path: Path, what: str) -> SourceBenchError:
    """Return the error of a file of a kind that is not read.

    Args:
        path: of the file.
        what: it is, such as 'a 12-bit JPEG'.
    """
    return SourceBenchError(
        f"{path} is {what}, which is not read. Convert it (to PNG, for one), or leave it out."
    )
