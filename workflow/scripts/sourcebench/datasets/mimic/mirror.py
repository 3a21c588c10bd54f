"""A mirror of MIMIC-CXR-JPG: phantom radiographs and invented tables in its layout.

Frontal views alone are drawn, as those of CheXpert are. They look like those of another hospital:
processed digitally, their histograms made flat, which is how MIMIC-CXR-JPG was made of its DICOMs
(Johnson et al. 2019), with letters of lead and a turned collimator.
"""

import gzip
from pathlib import Path

import cv2
import pandas as pd

from sourcebench.datasets.chexpert.mirror import DRAWN
from sourcebench.datasets.mimic import invented
from sourcebench.datasets.mirrors import MIRRORS, write_missing
from sourcebench.errors import SourceBenchError
from sourcebench.files import atomic
from sourcebench.imaging import Image
from sourcebench.phantoms.radiograph import render
from sourcebench.phantoms.radiograph.digital import process
from sourcebench.seeds import generator

COLUMNS = ("image_id", "patient_id", "study_id", "sex", "age", "view", "findings")

LONGER, SHORTER = 612, 510
"""Pixels: a fifth of those of the most frequent originals, 3056×2544."""

QUALITY = 95

_Job = tuple[str, str, str, int, str, str]


@MIRRORS.register("mimic_cxr")
def mirror(wanted: pd.DataFrame, folder: Path, processes: int) -> int:
    """Write 8-bit grey JPEGs `folder/files/p10/p10000032/s50414267/<dicom_id>.jpg`, and the tables.

    The tables lie in the folder itself and name all invented images, not only those wanted. Images
    that are there already are left alone. Each file appears whole or not at all.

    Args:
        wanted: columns `image_id`, `patient_id`, `study_id`, `sex`, `age`, `view`, `findings`.
        folder: where the files go; made if missing.
        processes: how many to draw in parallel.

    Returns:
        How many images were written.

    Raises:
        SourceBenchError: a column is missing, a view is not frontal, or the disk is full.
    """

    def plan(rows: pd.DataFrame) -> list[_Job]:
        other = rows[~rows["view"].isin(["AP", "PA"])]
        if len(other):
            raise SourceBenchError(
                f"Phantoms of MIMIC-CXR are frontal, but {len(other)} of the {len(rows)} images "
                f"are not (such as {other['image_id'].iloc[0]}, view {other['view'].iloc[0]}); set "
                "the task's view to AP or PA."
            )
        return [
            (place, patient, str(sex), int(age), str(view), said if isinstance(said, str) else "")
            for name, patient, study, sex, age, view, said in rows.itertuples(index=False)
            if not (folder / (place := place_of(patient, study, name))).exists()
        ]

    written = len(write_missing(wanted, COLUMNS, folder, plan, _write, processes))
    for name, table in invented.tables().items():
        if not (path := folder / f"{name}.csv.gz").exists():
            with atomic(path) as temporary:
                temporary.write_bytes(gzip.compress(table.to_csv(index=False).encode(), mtime=0))
    return written


def place_of(patient: str, study: object, image_id: str) -> str:
    """Return where an image lies below the folder of the tables."""
    return f"files/p{patient[:2]}/p{patient}/s{int(float(str(study)))}/{image_id}"


def draw(image_id: str, patient: str, sex: str, age: int, view: str, findings: str) -> Image:
    """Draw one phantom.

    Args:
        image_id: the name of its file.
        patient: its patient_id.
        sex: M or F.
        age: years.
        view: PA or AP.
        findings: CheXpert's observations, joined by '|'.

    Returns:
        612×510 or 510×612, uint8.
    """
    rng = generator("phantom", "mimic", image_id)
    shown = {
        str(generator("phantom", finding, image_id).choice(DRAWN[finding]))
        for finding in findings.split("|")
        if DRAWN.get(finding)
    }
    subject = f"mimic_{patient}"
    image = render(
        image_id, patient=subject, sex=sex, age=age, view=view, findings=shown, side=LONGER
    )
    cut = LONGER - SHORTER
    if rng.uniform() < (0.35 if view == "AP" else 0.6):
        image = image[:, cut // 2 : cut // 2 + SHORTER]
    else:
        top = round(0.3 * cut)  # what a wide image loses is the abdomen rather than the shoulders
        image = image[top : top + SHORTER]
    return process(image, rng)


def _write(folder: Path, job: _Job) -> None:
    place, patient, sex, age, view, findings = job
    image = draw(place.rpartition("/")[2], patient, sex, age, view, findings)
    _, encoded = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])
    with atomic(folder / place) as temporary:
        temporary.write_bytes(encoded.tobytes())
