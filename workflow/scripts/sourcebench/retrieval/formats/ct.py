"""One slice out of one DICOM file, in Hounsfield units or as an 8-bit image.

What LIDC-IDRI's files do differently from one another is handled here, and named in remarks.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.retrieval.formats.dicom import quiet_pydicom
from sourcebench.retrieval.formats.whole import damaged

if TYPE_CHECKING:
    from pydicom import Dataset

AIR_HU = -1000.0
"""Hounsfield units of air, which also stands for what was never measured."""

NO_TISSUE_HU = -1500.0
"""Below this a value is no measurement but the scanner's mark for it: GE's scanners put −2000
(or −3024) outside their circular field of view, often without a tag that says so."""

SPARE = 0.01
"""Share of the pixels that may be missing at the end. LIDC-IDRI has a file with 524,285 of 524,288
bytes (issue 45 of pylidc)."""

REMARKS = {
    "short_pixel_data": "the last pixels are missing and were taken as air",
    "padding": "pixels outside the field of view were taken as air",
    "compressed": "the pixels were compressed",
    "odd_size": "the slice is not 512×512",
}
"""The remarks that a slice can come with, and what they mean."""

USUAL = (512, 512)
NEEDED = (
    *("Rows", "Columns", "SamplesPerPixel", "PhotometricInterpretation", "NumberOfFrames"),
    *("BitsAllocated", "BitsStored", "HighBit", "PixelRepresentation", "PixelData"),
    *("RescaleSlope", "RescaleIntercept", "PixelPaddingValue", "PixelPaddingRangeLimit"),
)


def read_slice(
    path: Path, *, window: tuple[float, float] = (-1200.0, 800.0), side: int = 362
) -> tuple[Image, tuple[str, ...]]:
    """Read the middle of a slice as an 8-bit image.

    362 px is the side of the square in the circle that a scanner measures (512/√2), so that no
    corner shows what lies outside of it (LoDoPaB-CT, Leuschner et al. 2021, "Methods").

    Args:
        path: a DICOM file.
        window: Hounsfield units that become 0 and 255; what lies outside is clipped.
        side: of the square that is cut out, in px.

    Returns:
        side×side, uint8: floor((HU - low) * 255 / (high - low)); and names out of `REMARKS`.

    Raises:
        SourceBenchError: the file is missing, damaged, truncated, another kind of image, or
            smaller than `side`.
    """
    hu, remarks = read_hu(path)
    height, width = hu.shape
    if min(height, width) < side:
        raise SourceBenchError(
            f"{path} is a slice of {height}×{width} pixels, too small to cut {side}×{side} out of "
            "it. Leave the scan out."
        )
    top, left = (height - side) // 2, (width - side) // 2
    return to_grey(hu[top : top + side, left : left + side], window), remarks


def to_grey(hu: NDArray[Any], window: tuple[float, float]) -> Image:
    """Turn Hounsfield units into the grey levels 0 to 255 of a window, fractions cut off."""
    low, high = window
    clipped = np.clip(hu.astype(np.float32), low, high)
    return ((clipped - low) * 255 / (high - low)).astype(np.uint8)


def read_hu(path: Path) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Read a slice in Hounsfield units.

    What the scanner didn't measure counts as air: −1000 HU, as it would be to X-rays, and not the
    scanner's mark for it, which a projection would take for matter that amplifies them. Those are
    pixels of the declared padding value, if that lies below air (some files declare one that
    tissue has as well), and all below `NO_TISSUE_HU`.

    Args:
        path: a DICOM file.

    Returns:
        rows×columns, float32; and names out of `REMARKS`.

    Raises:
        SourceBenchError: the file is missing, damaged, truncated, or another kind of image.
    """
    return hounsfield(load(path), path)


def load(path: Path) -> "Dataset":
    """Open a DICOM file, pixels and all.

    Raises:
        SourceBenchError: it is missing, damaged, or no DICOM.
    """
    pydicom = quiet_pydicom()
    try:
        dataset: Dataset = pydicom.dcmread(path)
        for name in NEEDED:  # decoded when it is asked for
            dataset.get(name)
    except FileNotFoundError as error:
        raise SourceBenchError(f"The slice {path} does not exist. Get the file again.") from error
    except OSError as error:
        raise SourceBenchError(f"{path} could not be read: {error}.") from error
    except Exception as error:  # damage leads pydicom into errors of any kind
        raise damaged(path, f"it can't be read as DICOM ({type(error).__name__})") from error
    return dataset


def hounsfield(dataset: "Dataset", path: Path) -> tuple[NDArray[np.float32], tuple[str, ...]]:
    """Do what `read_hu` does, for a file that is open.

    Args:
        dataset: its content.
        path: its name, for messages.
    """
    slope, intercept = (_number(dataset, path, f"Rescale{what}") for what in ("Slope", "Intercept"))
    stored, lost, compressed = _stored(dataset, path)
    hu = stored.astype(np.float32) * np.float32(slope) + np.float32(intercept)
    outside = hu < NO_TISSUE_HU
    if padding := _padding(dataset, path):
        low, high = padding
        outside |= (stored >= low) & (stored <= high) & (hu < AIR_HU)
    hu[outside] = AIR_HU
    hu.reshape(-1)[hu.size - lost :] = AIR_HU
    told = {
        "short_pixel_data": lost > 0,
        "padding": bool(outside.any()),
        "compressed": compressed,
        "odd_size": hu.shape != USUAL,
    }
    return hu, tuple(name for name, holds in told.items() if holds)


def _stored(dataset: "Dataset", path: Path) -> tuple[NDArray[np.int32], int, bool]:
    """Return the pixels as they are stored, the number of lost ones, and if they were compressed.

    Bits above the stored ones are cut off, as the standard says (old scanners keep overlays
    there), and signed values get back their sign.
    """
    rows, columns = (int(_number(dataset, path, name)) for name in ("Rows", "Columns"))
    bits, high, signed = _layout(dataset, path)
    syntax = dataset.file_meta.get("TransferSyntaxUID")
    known = syntax is not None and syntax.is_transfer_syntax
    compressed = bool(known and syntax.is_compressed)
    data = dataset.get("PixelData") or b""
    if not data or rows * columns == 0:
        raise damaged(path, "it holds no pixels")
    if compressed:
        raw = _decode(dataset, path)[: rows * columns]
    else:
        order = ">" if known and not syntax.is_little_endian else "<"
        raw = np.frombuffer(data, f"{order}u2", count=min(len(data) // 2, rows * columns))
    lost = rows * columns - raw.size
    if lost > SPARE * rows * columns:
        raise damaged(path, f"{lost:,} of its {rows * columns:,} pixels are missing")
    stored = np.zeros(rows * columns, np.int32)
    stored[: raw.size] = raw
    stored = _signed((stored >> (high + 1 - bits)) & ((1 << bits) - 1), bits, signed)
    return stored.reshape(rows, columns), lost, compressed


def _layout(dataset: "Dataset", path: Path) -> tuple[int, int, bool]:
    """Return how many bits are stored, the highest, if they have a sign; refuse what is no CT."""
    expected = {
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "BitsAllocated": 16,
    }
    for name, value in expected.items():
        if (found := dataset.get(name, value)) != value:
            raise SourceBenchError(
                f"{path} is an image of another kind: its {name} is {found}, where a CT slice has "
                f"{value}. Leave it out."
            )
    if _number(dataset, path, "NumberOfFrames", 1) != 1:
        raise SourceBenchError(f"{path} holds several images, not one slice. Leave it out.")
    bits = int(_number(dataset, path, "BitsStored", 16))
    high = int(_number(dataset, path, "HighBit", bits - 1))
    if not 1 <= bits <= high + 1 <= 16:
        raise damaged(path, f"it says that {bits} of 16 bits are stored, up to bit {high}")
    return bits, high, _number(dataset, path, "PixelRepresentation", 0) == 1


def _signed(values: Any, bits: int, signed: bool) -> Any:
    """Return values of some bits as two's complement, if they are signed."""
    sign = 1 << (bits - 1)
    return (values ^ sign) - sign if signed else values


def _decode(dataset: "Dataset", path: Path) -> NDArray[np.uint16]:
    """Decompress the pixels with whatever decoders pydicom finds."""
    try:
        pixels = dataset.pixel_array
    except Exception as error:  # each decoder has errors of its own
        name = dataset.file_meta.TransferSyntaxUID.name
        raise SourceBenchError(
            f"{path} could not be decompressed ({name}): "
            f"{str(error).partition(chr(10))[0]}. Decompress the files first (for example with "
            "gdcmconv --raw), or install a decoder for pydicom."
        ) from error
    return np.asarray(pixels).astype(np.uint16).reshape(-1)


def _padding(dataset: "Dataset", path: Path) -> tuple[int, int] | None:
    """Return the lowest and the highest stored value that are declared as padding, if any are.

    Some files declare them unsigned and store them signed, or the other way round.
    """
    bits, _, signed = _layout(dataset, path)
    values = [dataset.get(name) for name in ("PixelPaddingValue", "PixelPaddingRangeLimit")]
    known = [
        _signed(value & ((1 << bits) - 1), bits, signed)
        for value in values
        if isinstance(value, int)
    ]
    return (min(known), max(known)) if known else None


def _number(dataset: "Dataset", path: Path, name: str, default: float | None = None) -> float:
    value: Any = dataset.get(name)
    try:
        number = float(value if value is not None or default is None else default)
    except (TypeError, ValueError) as error:
        raise damaged(path, f"its header doesn't say its {name}") from error
    if not np.isfinite(number):
        raise damaged(path, f"its {name} is no number")
    return number
