"""Reading PNG images, and proving them whole."""

import struct
import zlib
from pathlib import Path

from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.retrieval.formats.whole import content, damaged, grey

SIGNATURE = b"\x89PNG\r\n\x1a\n"
GREY, PALETTE = 0, 3
COLOUR_TYPES = {GREY: "grey", 2: "RGB", PALETTE: "palette", 4: "grey + alpha", 6: "RGBA"}


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
    depth, colour = _check_chunks(path, data)
    kind = f"{depth}-bit {COLOUR_TYPES.get(colour, 'unknown')}"
    wrong = SourceBenchError(
        f"{path} is a PNG of another kind ({kind}): 8-bit grey is expected, or RGB(A) with equal "
        "channels. Convert it, or leave it out."
    )
    if depth != 8 or colour == PALETTE:
        raise wrong
    return grey(path, data, wrong)


def _check_chunks(path: Path, data: bytes) -> tuple[int, int]:
    """Walk a PNG's chunks to the end and verify each checksum; return bit depth and colour type.

    Decoders forgive: OpenCV 4 returned the top of a truncated image, OpenCV 5 accepts damage
    outside the pixels and prints to the terminal about the rest. The walk costs 0.1 ms.
    """
    view = memoryview(data)
    if view[:8] != SIGNATURE:
        raise damaged(path, "it does not begin as a PNG does")
    position, kind, header = len(SIGNATURE), b"", (0, 0)
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
            header = (view[position + 16], view[position + 17])
        position = end + 4
    return header
