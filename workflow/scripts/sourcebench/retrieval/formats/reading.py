"""Reading an image in whatever format it is."""

from pathlib import Path

from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.retrieval.formats.base import FORMATS, HEAD, Window, slice_named

REMARKS = {"other_suffix": "the file's name has the suffix of another format than its content"}
"""The remarks that an image can come with, and what they mean."""

OTHERS = {
    b"GIF8": "a GIF",
    b"%PDF": "a PDF",
    b"PK\x03\x04": "a ZIP archive",
    b"\x00\x00\x00\x0cjP": "a JPEG 2000",
    b"\xff\x4f\xff\x51": "a JPEG 2000",
    b"\x1f\x8b": "a gzip archive",
}
"""How files begin that one might take for images, and what they are."""


def suffixes() -> tuple[str, ...]:
    """Return the suffixes of all formats."""
    return tuple(suffix for name in FORMATS for suffix in FORMATS.get(name).suffixes)


def read_image(path: Path, window: Window | None = None) -> tuple[Image, tuple[str, ...]]:
    """Read an image in any of the `FORMATS`, which is known by the content.

    Images of 8 bits (or fewer, spread over 0 to 255) are taken as they are. Those of more become
    8 bits by the window, or else by what their format says, see there; to the nearest, see
    `pixels.to_8_bits`.

    Args:
        path: of the file; with `#` and a number behind it, the slice of a NIfTI volume.
        window: the values that become 0 and 255. In DICOM and NIfTI they are those that were
            measured, such as Hounsfield units, and a window counts for 8 bits as well.

    Returns:
        H×W (grey, or three equal channels) or H×W×3 (RGB), uint8; and names out of `REMARKS`.

    Raises:
        SourceBenchError: the file is missing, empty, damaged, of no format that is read or of a
            kind that is not, holds several images, or one that is too large.
    """
    file, number = slice_named(path)
    head = _head(file)
    each = (FORMATS.get(name)() for name in FORMATS)
    found = next((known for known in each if known.begins(head)), None)
    if found is None:
        raise _unknown(file, head)
    if number is not None and not found.sliced:
        raise SourceBenchError(
            f"{file} is a {found.title}, which has no slices: name it without '#{number}'."
        )
    image = found.read(path, window)
    name = file.name.lower()
    other = name.endswith(suffixes()) and not name.endswith(found.suffixes)
    return image, ("other_suffix",) if other else ()


def slices_in(path: Path) -> int:
    """Return how many slices the file has that a path names one of; 1 of what has none.

    Raises:
        SourceBenchError: the file is missing, or damaged at its beginning.
    """
    file, _ = slice_named(path)
    head = _head(file)
    known = (FORMATS.get(name)() for name in FORMATS)
    return next((each.depth(file) for each in known if each.begins(head)), 1)


def _head(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(HEAD)
    except OSError as error:
        raise SourceBenchError(f"{path} could not be read: {error.strerror}.") from error


def _unknown(path: Path, head: bytes) -> SourceBenchError:
    """Return the error of a file in none of the formats."""
    if not head:
        return SourceBenchError(f"{path} is empty. Get the file again, or leave it out.")
    known = [name for begin, name in OTHERS.items() if head.startswith(begin)]
    what = known[0] if known else "text" if _is_text(head) else "of no format that is known"
    read = ", ".join(FORMATS.get(name).title for name in FORMATS)
    return SourceBenchError(
        f"{path} is {what}, and no image that is read ({read}). Convert it, or leave it out."
    )


def _is_text(head: bytes) -> bool:
    try:
        return "\0" not in head.decode("utf-8", errors="strict")
    except UnicodeDecodeError as error:
        return error.start > len(head) - 4 and error.reason == "unexpected end of data"
