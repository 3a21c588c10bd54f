"""Reading a DICOM file of one frame as an image, whatever device it is from.

CT slices for tomography, in Hounsfield units, are read by `ct`.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.retrieval.formats.base import (
    FORMATS,
    Format,
    Window,
    check_size,
    several,
    unread,
)
from sourcebench.retrieval.formats.ct import load
from sourcebench.retrieval.formats.dicom import quiet_pydicom
from sourcebench.retrieval.formats.pixels import image_of, in_8_bits, to_8_bits
from sourcebench.retrieval.formats.whole import damaged

if TYPE_CHECKING:
    from pydicom import Dataset

PIXELS = ("PixelData", "FloatPixelData", "DoubleFloatPixelData")
DARK, BRIGHT, PALETTE = "MONOCHROME1", "MONOCHROME2", "PALETTE COLOR"
COLOURS = ("RGB", "YBR_FULL", "YBR_FULL_422", "YBR_ICT", "YBR_RCT")


@FORMATS.register("dicom")
class DICOM(Format):
    """DICOM files of one frame: MONOCHROME1 and 2, RGB, YBR (made RGB), PALETTE COLOR.

    Compressed ones are read as far as pydicom's decoders here can: RLE, JPEG of 8 bits, JPEG 2000.

    Grey values are those that were measured (rescale slope and intercept, or a modality LUT).
    Black and white are the first of these that there is:

    - the window that is asked for,
    - the file's VOI LUT, the first of several; its bits become 0 to 255,
    - its window, the first of several, by its function (DICOM PS3.3, C.11.2.1.2 and C.11.2.1.3); a
      width that the standard forbids counts as none,
    - what 8 stored bits (or fewer) can hold,
    - the lowest and the highest value in the image, but for the padding value.

    MONOCHROME1 is then inverted, so that bright is bright, and so is what has the presentation LUT
    shape INVERSE. Of an enhanced file the groups of its one frame count as its header. Presentation
    states and overlays are not looked at. Of colours the full range is taken, or the window that
    is asked for if they have more than 8 bits.
    """

    title = "DICOM"
    suffixes = (".dcm", ".dicom")

    def begins(self, head: bytes) -> bool:
        """Return whether DICM stands behind the preamble."""
        return head[128:132] == b"DICM"

    def read(self, path: Path, window: Window | None) -> Image:
        """Read the one frame of a file."""
        dataset = load(path)
        try:
            _of_the_frame(dataset)
            kind = _checked(dataset, path)
            stored = _decoded(dataset, path)
            if kind == PALETTE:
                coloured = quiet_pydicom().pixels.apply_color_lut(stored, dataset)
                return image_of(in_8_bits(path, coloured, None))
            if kind in COLOURS:
                return image_of(_of_colours(stored, int(dataset.BitsStored), window))
            grey = _of_grey(dataset, stored, window)
        except SourceBenchError:
            raise
        except Exception as error:  # a header that contradicts itself leads to errors of any kind
            why = str(error).partition("\n")[0] or type(error).__name__
            raise damaged(path, f"its header can't be followed ({why})") from error
        inverse = str(dataset.get("PresentationLUTShape") or "").upper() == "INVERSE"
        return np.subtract(255, grey) if kind == DARK or inverse else grey


def _of_the_frame(dataset: "Dataset") -> None:
    """Put what an enhanced file says of its one frame where other files say it.

    Rescaling and windows stand there in the functional groups (DICOM PS3.3, C.7.6.16.2.9 and
    C.7.6.16.2.10), of all frames or of each.
    """
    for groups in ("SharedFunctionalGroupsSequence", "PerFrameFunctionalGroupsSequence"):
        for group in (dataset.get(groups) or [])[:1]:
            for name in ("PixelValueTransformationSequence", "FrameVOILUTSequence"):
                for item in group.get(name) or []:
                    dataset.update(item)


def _checked(dataset: "Dataset", path: Path) -> str:
    """Return the photometric interpretation; refuse what is not one image."""
    sized = "Rows" in dataset and "Columns" in dataset
    if not sized or not any(name in dataset for name in PIXELS):
        raise unread(path, "a DICOM file without an image")
    frames = int(dataset.get("NumberOfFrames") or 1)
    if frames != 1:
        raise several(path, f"{frames} frames")
    check_size(path, int(dataset.Columns), int(dataset.Rows))
    kind = str(dataset.PhotometricInterpretation)
    if kind not in (DARK, BRIGHT, PALETTE, *COLOURS):
        raise unread(path, f"a DICOM file whose PhotometricInterpretation is {kind}")
    bits = int(dataset.get("BitsStored", 0))
    if "PixelData" in dataset and int(dataset.get("HighBit", bits - 1)) != bits - 1:
        raise unread(path, f"a DICOM file whose {bits} bits do not begin at the lowest")
    return kind


def _decoded(dataset: "Dataset", path: Path) -> NDArray[Any]:
    """Return the pixels as they are stored, rows×columns or rows×columns×3, YBR as RGB."""
    pixels = quiet_pydicom().pixels
    try:
        return np.asarray(pixels.pixel_array(dataset))
    except Exception as error:  # each decoder has errors of its own
        why = str(error).rpartition("\n")[2].strip() or type(error).__name__
        syntax = dataset.file_meta.get("TransferSyntaxUID")
        if syntax is None or not (syntax.is_transfer_syntax and syntax.is_compressed):
            raise damaged(path, f"its pixels can't be read ({why})") from error
        raise SourceBenchError(
            f"{path} could not be decompressed ({syntax.name}; {why.rstrip('.')}). Get the file "
            "again, decompress it (for example with gdcmconv --raw), or leave it out."
        ) from error


def _of_colours(stored: NDArray[Any], bits: int, window: Window | None) -> Image:
    if bits == 8 and stored.dtype == np.uint8:
        return stored
    return to_8_bits(stored, window or (0.0, 2.0**bits - 1))


def _of_grey(dataset: "Dataset", stored: NDArray[Any], window: Window | None) -> Image:
    """Return grey levels: every stored value is turned into one once, and looked up then."""
    if stored.dtype.kind in "iu" and stored.dtype.itemsize <= 2:
        low, high = int(stored.min()), int(stored.max())
        each = np.arange(low, high + 1).astype(stored.dtype.newbyteorder("="))
        index = stored.astype(np.intp) - low
    else:
        each, index = np.unique(stored, return_inverse=True)
        index = index.reshape(stored.shape)
    values = quiet_pydicom().pixels.apply_modality_lut(each, dataset)
    if window is not None:
        return to_8_bits(values, window)[index]
    levels = _by_lut(dataset, values)
    if levels is None:
        levels = _by_window(dataset, values)
    if levels is None:
        occurs = np.bincount(index.reshape(-1), minlength=len(each)) > 0
        levels = to_8_bits(values, _by_range(dataset, each, values, occurs))
    return levels[index]


def _by_lut(dataset: "Dataset", values: NDArray[Any]) -> Image | None:
    """Return the grey levels of values by the first VOI LUT (DICOM PS3.3, C.11.2.1.1)."""
    if not dataset.get("VOILUTSequence"):
        return None
    lut = dataset.VOILUTSequence[0]
    count, first, bits = (int(number) for number in lut.LUTDescriptor)
    count = count or 2**16  # as the standard says
    if values.min() < 0 and first >= 2**15:
        first -= 2**16  # written without the sign that the values have
    data = lut.LUTData
    if isinstance(data, bytes):
        syntax = dataset.file_meta.TransferSyntaxUID
        words = "<u2" if syntax.is_little_endian else ">u2"
        data = np.frombuffer(data, np.uint8 if len(data) in (count, count + 1) else words)
    entries = np.atleast_1d(np.asarray(data)).astype(np.int64)[:count]
    place = np.clip(np.rint(values).astype(np.int64) - first, 0, len(entries) - 1)
    return to_8_bits(entries[place], (0.0, 2.0**bits - 1))


def _by_window(dataset: "Dataset", values: NDArray[Any]) -> Image | None:
    """Return the grey levels of values by the first window."""
    centre, width = (_first(dataset.get(f"Window{what}")) for what in ("Center", "Width"))
    if centre is None or width is None:
        return None
    function = str(dataset.get("VOILUTFunction") or "LINEAR").upper()
    if function == "SIGMOID" and width > 0:
        from scipy.special import expit  # not before: few images need it

        return to_8_bits(expit(4 * (values - centre) / width), (0.0, 1.0))
    if function == "LINEAR" and width >= 1:
        centre, width = centre - 0.5, width - 1
    elif width <= 0 or function == "LINEAR":
        return None
    return to_8_bits(values, (centre - width / 2, centre + width / 2))


def _first(value: Any) -> float | None:
    several_values = getattr(value, "__iter__", None) is not None and not isinstance(value, str)
    value = next(iter(value), None) if several_values else value
    return None if value in (None, "") else float(value)


def _by_range(
    dataset: "Dataset", each: NDArray[Any], values: NDArray[Any], occurs: NDArray[np.bool_]
) -> Window:
    """Return the window of a file that tells none.

    Args:
        dataset: its header.
        each: stored values, K.
        values: what was measured by them, K.
        occurs: which of them are in the image, K.
    """
    bits = int(dataset.get("BitsStored", 32))
    if bits <= 8:
        signed = int(dataset.get("PixelRepresentation", 0)) == 1
        ends = np.array([0, 2**bits - 1]) - (2 ** (bits - 1) if signed else 0)
        seen = quiet_pydicom().pixels.apply_modality_lut(ends, dataset)
    else:
        limits = [dataset.get(f"PixelPadding{what}") for what in ("Value", "RangeLimit")]
        known = [limit for limit in limits if isinstance(limit, int)]
        if int(dataset.get("PixelRepresentation", 0)) == 1:  # some write it without its sign
            known = [limit - 2**16 if limit >= 2**15 else limit for limit in known]
        padded = (each >= min(known)) & (each <= max(known)) if known else np.zeros_like(occurs)
        seen = values[occurs & ~padded & np.isfinite(values)]
    return (float(seen.min()), float(seen.max())) if seen.size else (0.0, 0.0)
