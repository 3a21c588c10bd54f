"""Small DICOM series in the forms that LIDC-IDRI's files have, and in some worse.

It asserts nothing.
PYTEST_DONT_REWRITE
"""

import hashlib
import io
from pathlib import Path

import numpy as np
import pydicom
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian

SIDE = 16
PATIENT = "LIDC-IDRI-0001"
SERIES = "1.3.6.1.4.1.14519.5.2.1.6279.6001.1"
OTHER_SERIES = "1.3.6.1.4.1.14519.5.2.1.6279.6001.2"


def uid(*parts):
    """A UID that depends on the parts alone."""
    digest = hashlib.sha256("|".join(map(str, parts)).encode()).hexdigest()
    return f"1.2.3.{int(digest[:16], 16)}"


def stored(z=0.0, side=SIDE, signed=True):
    """Stored values of a slice whose Hounsfield units go from -1000 to 900: noise, by z."""
    rng = np.random.default_rng(abs(int(z * 100)))
    hu = rng.integers(-1000, 900, (side, side))
    return hu.astype(np.int16) if signed else (hu + 1024).astype(np.uint16)


def slice_of(
    z=0.0,
    *,
    series=SERIES,
    pixels=None,
    instance=1,
    sop=None,
    syntax=ExplicitVRLittleEndian,
    without=(),
    **tags,
):
    """A CT slice as a pydicom dataset.

    Args:
        pixels: stored values, int16 or uint16; their type decides about PixelRepresentation and
            the rescaling (intercept 0, or -1024).
        without: keywords to leave out.
        tags: keywords to set, over all else.
    """
    pixels = stored(z) if pixels is None else pixels
    signed = pixels.dtype.kind == "i"
    dataset = Dataset()
    dataset.file_meta = FileMetaDataset()
    dataset.file_meta.TransferSyntaxUID = syntax
    content = {
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": sop or uid(series, z, instance),
        "Modality": "CT",
        "PatientID": PATIENT,
        "SeriesInstanceUID": series,
        "InstanceNumber": instance,
        "ImagePositionPatient": [-160.5, -150.25, z],
        "ImageOrientationPatient": [1, 0, 0, 0, 1, 0],
        "SliceLocation": z,
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": pixels.shape[0],
        "Columns": pixels.shape[1],
        "PixelSpacing": [0.5, 0.75],
        "BitsAllocated": 16,
        "BitsStored": 16,
        "HighBit": 15,
        "PixelRepresentation": int(signed),
        "RescaleIntercept": 0 if signed else -1024,
        "RescaleSlope": 1,
        "PixelData": pixels.tobytes(),
    }
    for keyword, value in (content | tags).items():
        if keyword not in without:
            setattr(dataset, keyword, value)
    if "PixelData" in dataset:
        dataset["PixelData"].VR = "OW"
    return dataset


def encoded(dataset):
    """A dataset as the bytes of a file."""
    raw = io.BytesIO()
    little = dataset.file_meta.TransferSyntaxUID.is_little_endian
    implicit = dataset.file_meta.TransferSyntaxUID.is_implicit_VR
    pydicom.dcmwrite(
        raw, dataset, implicit_vr=implicit, little_endian=little, enforce_file_format=True
    )
    return raw.getvalue()


def put(path, dataset, cut=0):
    """Write a dataset, without its last `cut` bytes; return the path."""
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    data = encoded(dataset)
    path.write_bytes(data[: len(data) - cut])
    return path


def series(folder, zs, series_uid=SERIES, **options):
    """Write a series, a file per z with names that say nothing; return the paths in that order."""
    return [
        put(
            Path(folder) / f"{hash_name(series_uid, z)}",
            slice_of(z, series=series_uid, instance=i, **options),
        )
        for i, z in enumerate(zs, start=1)
    ]


def hash_name(*parts):
    return f"IM{uid(*parts)[-8:]}"
