"""Reading TIFF images of one page."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.retrieval.formats.base import FORMATS, Format, Window, several, unread
from sourcebench.retrieval.formats.pillow import decoded, opened
from sourcebench.retrieval.formats.pixels import image_of, in_8_bits
from sourcebench.retrieval.formats.whole import content, raw

if TYPE_CHECKING:
    from PIL.ImageFile import ImageFile

BEGINNINGS = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
WIDTHS, PHOTOMETRIC, PLANES = 258, 262, 284
WHITE_IS_ZERO, RGB, TOGETHER = 0, 2, 1


@FORMATS.register("tiff")
class TIFF(Format):
    """TIFFs of one page: grey (1 to 32 bits, or fractions), RGB (8 or 16), palette, CMYK.

    However they are compressed, as far as Pillow's decoder can (LZW, deflate, JPEG, PackBits …).
    They are turned as their orientation says; alpha and profiles are ignored.
    """

    title = "TIFF"
    suffixes = (".tif", ".tiff")

    def begins(self, head: bytes) -> bool:
        """Return whether the byte order and 42 are there, or BigTIFF's 43."""
        return head.startswith(BEGINNINGS)

    def read(self, path: Path, window: Window | None) -> Image:
        """Read the one page of a file."""
        data = content(path)
        picture = _opened(path, data)
        pages = getattr(picture, "n_frames", 1)
        if pages != 1:
            raise several(path, f"{pages} pages")
        tags = picture.tag_v2  # type: ignore[attr-defined]
        widths, meaning = tags.get(WIDTHS, (1,)), tags.get(PHOTOMETRIC)
        if len(widths) > 1 and max(widths) > 8:
            if widths != (16,) * len(widths) or meaning != RGB:
                raise unread(path, f"a TIFF with {len(widths)} channels of {max(widths)} bits")
            if tags.get(PLANES, TOGETHER) != TOGETHER:
                raise unread(path, "a TIFF of 16-bit RGB whose channels lie apart")
            pixels = _of_16_bits(path, data)
        else:
            pixels = decoded(picture, path, turned=True)
            if meaning == WHITE_IS_ZERO and pixels.dtype != np.uint8:
                if pixels.dtype != np.uint16:
                    raise unread(path, "a TIFF of fractions in which white is zero")
                pixels = np.iinfo(np.uint16).max - pixels  # Pillow does so with 8 bits only
        return image_of(in_8_bits(path, pixels, window))


def _opened(path: Path, data: bytes) -> "ImageFile":
    from PIL.TiffImagePlugin import TiffImageFile

    try:
        return opened(TiffImageFile, path, data)
    except SourceBenchError as error:
        if "unknown pixel mode" in str(error.__cause__):
            raise unread(path, "a TIFF of an unusual kind (channels, bits or meaning)") from error
        raise


def _of_16_bits(path: Path, data: bytes) -> NDArray[Any]:
    """Decode RGB of 16 bits, of which Pillow keeps 8; OpenCV turns it as well."""
    pixels = raw(path, data, cv2.IMREAD_UNCHANGED)
    if pixels.dtype != np.uint16 or pixels.ndim != 3:
        raise unread(path, "a TIFF of 16-bit RGB in an unusual layout")
    return pixels[..., 2::-1]  # blue, green, red, alpha
