"""DICOM files: finding them, and reading what their headers say of a slice."""

import functools
import warnings
from collections.abc import Iterable
from pathlib import Path
from types import ModuleType
from typing import NamedTuple

NO_INSTANCE = 2**31 - 1
"""Stands for a missing instance number: the last of all."""

SLICE, OTHER, POSITIONLESS, UNREADABLE = "slice", "other", "positionless", "unreadable"
_MAGIC = b"DICM"
_DIRECTORY = "1.2.840.10008.1.3.10"  # the SOP class of a DICOMDIR
_LAST = 0x00280011  # Columns: nothing behind it is read
_TAGS = [0x00080018, 0x0020000E, 0x00200013, 0x00200032, 0x00201041, 0x00280010, _LAST]


class Entry(NamedTuple):
    """What one file is.

    Attributes:
        path: as it was given.
        kind: `SLICE`, `OTHER` (not DICOM), `POSITIONLESS` (DICOM, but no slice) or `UNREADABLE`.
        series_uid: SeriesInstanceUID.
        z: of ImagePositionPatient, or else SliceLocation, in mm.
        sop_uid: SOPInstanceUID.
        instance: InstanceNumber, or `NO_INSTANCE`.
        rows: height in px.
        columns: width in px.
        why: what is wrong with an unreadable file.
    """

    path: str
    kind: str
    series_uid: str = ""
    z: float = float("nan")
    sop_uid: str = ""
    instance: int = NO_INSTANCE
    rows: int = 0
    columns: int = 0
    why: str = ""


@functools.cache
def quiet_pydicom() -> ModuleType:
    """Import pydicom and stop its remarks about values and encodings that no one here reads."""
    import pydicom

    pydicom.config.settings.reading_validation_mode = pydicom.config.IGNORE
    # Once and for good: switching filters for a moment is not safe among threads.
    warnings.filterwarnings("ignore", module="pydicom")
    return pydicom


def some(names: Iterable[str]) -> str:
    """Join the first three names for a message."""
    names = list(names)
    return ", ".join(names[:3]) + (", ..." if len(names) > 3 else "")


def read_header(path: str) -> Entry:
    """Read one header, as far as needed; whatever a damaged file leads to becomes its `why`."""
    pydicom = quiet_pydicom()
    reached = False

    def stop(tag: int, _vr: str | None, _length: int) -> bool:
        nonlocal reached
        reached = tag > _LAST
        return reached

    try:
        with Path(path).open("rb") as file:
            if file.read(132)[128:] != _MAGIC:
                named = path.lower().endswith(".dcm")
                return Entry(path, UNREADABLE if named else OTHER, why="it is no DICOM file")
            file.seek(0)
            header = pydicom.filereader.read_partial(file, stop, specific_tags=_TAGS)
        if header.file_meta.get("MediaStorageSOPClassUID") == _DIRECTORY:
            return Entry(path, POSITIONLESS)
        if not reached:
            return Entry(path, UNREADABLE, why="its header is truncated")
        if not header.get("SeriesInstanceUID"):
            return Entry(path, UNREADABLE, why="it doesn't say its SeriesInstanceUID")
        position = header.get("ImagePositionPatient") or [None, None, header.get("SliceLocation")]
        if position[2] is None or not header.get("Rows"):
            return Entry(path, POSITIONLESS)
        instance = header.get("InstanceNumber")
        return Entry(
            path,
            SLICE,
            series_uid=str(header.SeriesInstanceUID),
            z=float(position[2]),
            sop_uid=str(header.get("SOPInstanceUID", "")),
            instance=NO_INSTANCE if instance is None else int(instance),
            rows=int(header.Rows),
            columns=int(header.Columns),
        )
    except Exception as error:  # a damaged header fails in any way; it is named, not followed
        return Entry(path, UNREADABLE, why=str(error).partition("\n")[0] or type(error).__name__)
