"""Reading BMP images."""

from pathlib import Path

from sourcebench.imaging import Image
from sourcebench.retrieval.formats.base import FORMATS, Format, Window
from sourcebench.retrieval.formats.pillow import decoded, opened
from sourcebench.retrieval.formats.pixels import image_of
from sourcebench.retrieval.formats.whole import content

SIZES = (12, 16, 40, 52, 56, 64, 108, 124)
"""Of the header behind the first 14 bytes, in bytes."""


@FORMATS.register("bmp")
class BMP(Format):
    """BMPs of 1 to 32 bits, with a palette or without; alpha is ignored."""

    title = "BMP"
    suffixes = (".bmp", ".dib")

    def begins(self, head: bytes) -> bool:
        """Return whether both headers are there: two letters alone may begin any text."""
        return head[:2] == b"BM" and int.from_bytes(head[14:18], "little") in SIZES

    def read(self, path: Path, window: Window | None) -> Image:
        """Read a file; a window changes nothing."""
        from PIL.BmpImagePlugin import BmpImageFile

        return image_of(decoded(opened(BmpImageFile, path, content(path)), path))
