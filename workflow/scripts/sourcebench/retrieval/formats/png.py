"""Reading PNG images, and proving them whole."""

import struct
import zlib
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
    several,
)
from sourcebench.retrieval.formats.pixels import image_of, in_8_bits
from sourcebench.retrieval.formats.whole import content, damaged, grey, raw

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, PALETTE = 0, 3
COLOUR_TYPES = {GREY: "grey", 2: "RGB", PALETTE: "palette", 4: "grey + alpha", 6: "RGBA"}


class Header(NamedTuple):
    """What a PNG says of its pixels.

    Attributes:
        width: in px.
        height: in px.
        depth: bits per sample.
        colour: a key of `COLOUR_TYPES`.
        animated: whether it has several frames.
    """

    width: int = 0
    height: int = 0
    depth: int = 0
    colour: int = 0
    animated: bool = False


@FORMATS.register("png")
class PNG(Format):
    """PNGs of 1 to 16 bits: grey, RGB or with a palette.

    Alpha is ignored, also that of a palette's colours: what is transparent has the colour that
    stands there. An orientation (eXIf) is ignored as well, and so are gamma and profiles.
    """

    title = "PNG"
    suffixes = (".png",)

    def begins(self, head: bytes) -> bool:
        """Return whether the signature is there."""
        return head.startswith(SIGNATURE)

    def read(self, path: Path, window: Window | None) -> Image:
        """Read a file, every checksum of which is right."""
        data = content(path)
        header = _check_chunks(path, data)
        if header.animated:
            raise several(path, "an animation")
        check_size(path, header.width, header.height)
        pixels = raw(path, data, cv2.IMREAD_UNCHANGED)
        if pixels.ndim == 3:
            pixels = pixels[..., 2::-1]  # OpenCV's order is blue, green, red, alpha
        return image_of(in_8_bits(path, pixels, window))


def read_png(path: Path) -> Image:
    """Read an 8-bit grey PNG and prove it whole.

    An RGB or RGBA file whose colour channels are equal counts as grey (519 of NIH's files are
    such RGBA); alpha is ignored.

    Returns:
        H×W, uint8, [0, 255].

    Raises:
        SourceBenchError: the file is missing, damaged, truncated, or another kind of image.
    """
    data = content(path)
    _, _, depth, colour, _ = _check_chunks(path, data)
    kind = f"{depth}-bit {COLOUR_TYPES.get(colour, 'unknown')}"
    wrong = SourceBenchError(
        f"{path} is a PNG of another kind ({kind}): 8-bit grey is expected, or RGB(A) with equal "
        "channels. Convert it, or leave it out."
    )
    if depth != 8 or colour == PALETTE:
        raise wrong
    return grey(path, data, wrong)


def _check_chunks(path: Path, data: bytes) -> Header:
    """Walk a PNG's chunks to the end and verify each checksum; return what the header says.

    Decoders forgive: OpenCV 4 returned the top of a truncated image, OpenCV 5 accepts damage
    outside the pixels and prints to the terminal about the rest. The walk costs 0.1 ms.
    """
    view = memoryview(data)
    if view[:8] != SIGNATURE:
        raise damaged(path, "it does not begin as a PNG does")
    position, kind, header = len(SIGNATURE), b"", Header()
    while kind != b"IEND":
        if position + 12 > len(view):
            raise damaged(path, "its end is missing")
        length, kind = struct.unpack_from(">I4s", view, position)
        end = position + 8 + length
        if end + 4 > len(view):
            raise damaged(path, "its end is missing")
        if zlib.crc32(view[position + 4 : end]) != struct.unpack_from(">I", view, end)[0]:
            raise damaged(path, f"the checksum at byte {end} is wrong")
        if kind == b"IHDR" and length == 13:
            header = Header(*struct.unpack_from(">IIBB", view, position + 8))
        elif kind == b"acTL":
            header = header._replace(animated=True)
        position = end + 4
    return header
