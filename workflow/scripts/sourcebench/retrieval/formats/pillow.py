"""What the readers share that decode with Pillow."""

import functools
import io
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sourcebench.retrieval.formats.base import check_size
from sourcebench.retrieval.formats.whole import damaged

if TYPE_CHECKING:
    from PIL.Image import Image as Picture
    from PIL.ImageFile import ImageFile

PLAIN = {"1": "L", "L": "L", "LA": "L", "La": "L"}
"""What modes of grey levels are turned into; those that `AS_THEY_ARE` not has become RGB."""

AS_THEY_ARE = ("I;16", "I;16L", "I;16B", "I;16N", "I", "F")
"""Modes of more than 8 bits."""


@functools.cache
def quiet_pillow() -> None:
    """Stop Pillow's warnings of tags that it can't read; of damage to pixels it has errors."""
    # Once and for good: switching filters for a moment is not safe among threads.
    warnings.filterwarnings("ignore", module="PIL")


def opened(plugin: "Callable[..., ImageFile]", path: Path, data: bytes) -> "ImageFile":
    """Read a file's header with one of Pillow's plugins, and check the size that it tells.

    `PIL.Image.open` would have a limit of its own on the number of pixels.

    Args:
        plugin: the class of the format.
        path: of the file, for messages.
        data: its content.

    Raises:
        SourceBenchError: the header can't be read, or the image is too large.
    """
    quiet_pillow()
    try:
        # Without the file's name: with it Pillow maps some TIFFs from the disk, in a shape that
        # their orientation has turned already, and makes stripes of them.
        picture = plugin(io.BytesIO(data))
    except Exception as error:  # damage leads Pillow into errors of any kind
        raise damaged(path, f"its header can't be read ({_first_line(error)})") from error
    check_size(path, *picture.size)
    return picture


def decoded(picture: "Picture", path: Path, *, turned: bool = False) -> NDArray[Any]:
    """Decode the pixels, and turn the image as its orientation (EXIF) says.

    CMYK becomes RGB as Pillow does it, without a colour profile: R = (255 − C)(255 − K)/255.

    Args:
        picture: what `opened` returned.
        path: of the file, for messages.
        turned: whether Pillow has turned it already, as it does a TIFF.

    Returns:
        H×W of uint8, uint16, int32 or float32, or H×W×3 of uint8.

    Raises:
        SourceBenchError: the file is truncated or damaged.
    """
    from PIL import ImageOps

    try:
        picture.load()
        whole = picture if turned else ImageOps.exif_transpose(picture)
        if whole.mode in AS_THEY_ARE:
            return np.asarray(whole)
        return np.asarray(whole.convert(PLAIN.get(whole.mode, "RGB")))
    except Exception as error:
        raise damaged(path, f"its pixels can't be decoded ({_first_line(error)})") from error


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0] or type(error).__name__
