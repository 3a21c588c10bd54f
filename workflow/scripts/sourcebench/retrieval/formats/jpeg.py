"""Reading JPEG images, as far as the format lets one prove them whole."""

import struct
from pathlib import Path
from typing import NamedTuple

import cv2

from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.retrieval.formats.base import (
    FORMATS,
    Format,
    Window,
    check_size,
    unread,
)
from sourcebench.retrieval.formats.pillow import decoded, opened
from sourcebench.retrieval.formats.pixels import image_of
from sourcebench.retrieval.formats.whole import content, damaged, grey, raw

START, END, SCAN = b"\xff\xd8", b"\xff\xd9", 0xDA
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
STANDALONE = frozenset(range(0xD0, 0xDA)) | {0x01}

FLAGS = {1: cv2.IMREAD_GRAYSCALE, 3: cv2.IMREAD_COLOR_RGB}
"""What OpenCV makes of so many channels; with both it turns the image, too."""


class Frame(NamedTuple):
    """What a JPEG says of its pixels: bits per sample, height, width, channels."""

    bits: int = 0
    height: int = 0
    width: int = 0
    channels: int = 0


@FORMATS.register("jpeg")
class JPEG(Format):
    """JPEGs of 8 bits, grey or coloured, turned as their orientation (EXIF) says.

    Of four channels are CMYK and YCCK, the inks inverted as Adobe's programs write them and every
    decoder takes them.
    """

    title = "JPEG"
    suffixes = (".jpg", ".jpeg", ".jpe", ".jfif")

    def begins(self, head: bytes) -> bool:
        """Return whether a marker follows that of the start."""
        return head.startswith(START + b"\xff")

    def read(self, path: Path, window: Window | None) -> Image:
        """Read a file that goes on to its end; a window changes nothing."""
        data = content(path)
        bits, height, width, channels = _frame(path, data)
        if bits != 8 or channels not in (*FLAGS, 4):
            raise unread(path, f"a JPEG of {bits} bits and {channels} channels")
        check_size(path, width, height)
        if channels == 4:  # OpenCV's conversion differs from Pillow's by a grey level
            from PIL.JpegImagePlugin import JpegImageFile

            return image_of(decoded(opened(JpegImageFile, path, data), path))
        return image_of(raw(path, data, FLAGS[channels]))


def read_jpeg(path: Path) -> Image:
    """Read an 8-bit grey JPEG and check that it goes on to its end.

    A file of three equal channels counts as grey. JPEG has no checksums: bytes altered within the
    image are not found.

    Returns:
        H×W, uint8, [0, 255].

    Raises:
        SourceBenchError: the file is missing, damaged, truncated, or another kind of image.
    """
    data = content(path)
    bits, _, _, channels = _frame(path, data)
    wrong = SourceBenchError(
        f"{path} is a JPEG of another kind ({bits}-bit, {channels} channels): 8-bit grey is "
        "expected, or three equal channels. Convert it, or leave it out."
    )
    if bits != 8 or channels not in (1, 3):
        raise wrong
    return grey(path, data, wrong)


def _frame(path: Path, data: bytes) -> Frame:
    """Walk a JPEG's segments to its pixels; return what it says of them.

    Decoders forgive an end that is missing and fill the image with grey. Among coded pixels the
    byte 0xFF never stands before 0xD9, so that pair after the first scan is the true end.
    """
    if not data.startswith(START):
        raise damaged(path, "it does not begin as a JPEG does")
    position, frame = len(START), Frame()
    while True:
        if position + 4 > len(data):
            raise damaged(path, "its end is missing")
        if data[position] != 0xFF:
            raise damaged(path, f"no segment begins at byte {position}")
        kind = data[position + 1]
        if kind == 0xFF or kind in STANDALONE:  # filling, or a marker without content
            position += 1 if kind == 0xFF else 2
            continue
        if kind in FRAMES and position + 10 <= len(data):
            frame = Frame(*struct.unpack_from(">BHHB", data, position + 4))
        (length,) = struct.unpack_from(">H", data, position + 2)
        position += 2 + length
        if kind == SCAN:
            break
    if data.find(END, position) < 0:
        raise damaged(path, "its end is missing")
    return frame
