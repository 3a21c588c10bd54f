"""What readers of image files share: the bytes, the pixels in them, and what is said of damage."""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image, grey_of


def content(path: Path) -> bytes:
    """Return the bytes of a file.

    Raises:
        SourceBenchError: it can't be read.
    """
    try:
        return path.read_bytes()
    except OSError as error:
        raise SourceBenchError(f"{path} could not be read: {error.strerror}.") from error


def grey(path: Path, data: bytes, coloured: SourceBenchError) -> Image:
    """Decode a grey image, or one whose colour channels are equal; alpha is ignored.

    Args:
        path: of the file, for messages.
        data: its content, 8 bits per sample.
        coloured: what to raise if the channels differ.

    Returns:
        H×W, uint8, [0, 255].

    Raises:
        SourceBenchError: the pixels can't be decoded, or `coloured`.
    """
    if (found := grey_of(raw(path, data, cv2.IMREAD_UNCHANGED))) is None:
        raise coloured
    return found


def raw(path: Path, data: bytes, flags: int) -> NDArray[Any]:
    """Decode an image with OpenCV.

    Args:
        path: of the file, for messages.
        data: its content.
        flags: what it is to become, `cv2.IMREAD_…`.

    Returns:
        H×W or H×W×C, as OpenCV has it.

    Raises:
        SourceBenchError: the pixels can't be decoded.
    """
    try:
        image = cv2.imdecode(np.frombuffer(data, np.uint8), flags)
    except cv2.error:
        image = None
    if image is None:
        raise damaged(path, "its pixels could not be decoded")
    return np.asarray(image)


def damaged(path: Path, how: str) -> SourceBenchError:
    """Return the error of a file that is not whole.

    Args:
        path: of the file.
        how: what shows it, such as 'its end is missing'.
    """
    return SourceBenchError(
        f"{path} is truncated or damaged: {how}. Get the file again, or delete it to leave it out."
    )
