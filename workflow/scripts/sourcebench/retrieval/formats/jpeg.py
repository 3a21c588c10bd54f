"""Reading JPEG images, as far as the format lets one prove them whole."""

import struct
from pathlib import Path

from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.retrieval.formats.whole import content, damaged, grey

START, END, SCAN = b"\xff\xd8", b"\xff\xd9", 0xDA
FRAMES = frozenset(range(0xC0, 0xD0)) - {0xC4, 0xC8, 0xCC}
STANDALONE = frozenset(range(0xD0, 0xDA)) | {0x01}


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
    bits, channels = _frame(path, data)
    wrong = SourceBenchError(
        f"{path} is a JPEG of another kind ({bits}-bit, {channels} channels): 8-bit grey is "
        "expected, or three equal channels. Convert it, or leave it out."
    )
    if bits != 8 or channels not in (1, 3):
        raise wrong
    return grey(path, data, wrong)


def _frame(path: Path, data: bytes) -> tuple[int, int]:
    """Walk a JPEG's segments to its pixels; return bits per sample and channels.

    Decoders forgive an end that is missing and fill the image with grey. Among coded pixels the
    byte 0xFF never stands before 0xD9, so that pair after the first scan is the true end.
    """
    if not data.startswith(START):
        raise damaged(path, "it does not begin as a JPEG does")
    position, frame = len(START), (0, 0)
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
            frame = (data[position + 4], data[position + 9])
        (length,) = struct.unpack_from(">H", data, position + 2)
        position += 2 + length
        if kind == SCAN:
            break
    if data.find(END, position) < 0:
        raise damaged(path, "its end is missing")
    return frame
