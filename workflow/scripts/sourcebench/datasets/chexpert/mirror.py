"""A mirror of CheXpert: phantom radiographs where CheXpert-v1.0-small has its own.

Frontal views alone are drawn: a lateral one would need another body. Support devices are not drawn
either, and nothing is where a report leaves a finding open.
"""

from pathlib import Path

import cv2
import pandas as pd

from sourcebench.datasets.mirrors import MIRRORS, write_missing
from sourcebench.errors import SourceBenchError
from sourcebench.files import atomic
from sourcebench.imaging import Image, resize
from sourcebench.phantoms.radiograph import render
from sourcebench.seeds import generator

COLUMNS = ("image_id", "sex", "age", "view", "findings")

SHORTER = 320
"""Pixels of the shorter side in CheXpert-v1.0-small."""

QUALITY = 92

DRAWN: dict[str, tuple[str, ...]] = {
    "No Finding": (),
    "Enlarged Cardiomediastinum": ("Enlarged Cardiomediastinum",),
    "Cardiomegaly": ("Cardiomegaly",),
    "Lung Opacity": ("Infiltration",),
    "Lung Lesion": ("Mass", "Nodule"),
    "Edema": ("Edema",),
    "Consolidation": ("Consolidation",),
    "Pneumonia": ("Pneumonia",),
    "Atelectasis": ("Atelectasis",),
    "Pneumothorax": ("Pneumothorax",),
    "Pleural Effusion": ("Effusion",),
    "Pleural Other": ("Pleural_Thickening",),
    "Fracture": ("Fracture",),
    "Support Devices": (),
}
"""CheXpert's observations → the findings of a radiograph phantom that show them, one by chance."""

_Job = tuple[str, str, int, str, str]


@MIRRORS.register("chexpert")
def mirror(wanted: pd.DataFrame, folder: Path, processes: int) -> int:
    """Write 8-bit grey JPEGs `folder/train/patient00001/study1/view1_frontal.jpg`.

    The shorter side has 320 px; the proportions differ from image to image, as CheXpert's do.
    Images that are there already are left alone. Each file appears whole or not at all.

    Args:
        wanted: columns `image_id`, `sex`, `age`, `view`, `findings`.
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
                f"Phantoms of CheXpert are frontal, but {len(other)} of the {len(rows)} images are "
                f"not (such as {other['image_id'].iloc[0]}, view {other['view'].iloc[0]}); set the "
                "task's view to AP or PA."
            )
        return [
            (str(name), str(sex), int(age), str(view), said if isinstance(said, str) else "")
            for name, sex, age, view, said in rows.itertuples(index=False)
            if not (folder / str(name)).exists()
        ]

    return len(write_missing(wanted, COLUMNS, folder, plan, _write, processes))


def draw(image_id: str, sex: str, age: int, view: str, findings: str) -> Image:
    """Draw one phantom.

    Args:
        image_id: its path in the dataset.
        sex: M or F; anything else is drawn as one of them, by the patient's seed.
        age: years.
        view: PA or AP.
        findings: CheXpert's observations, joined by '|'.

    Returns:
        H×W, uint8, the smaller of both 320.
    """
    patient, *rest = image_id.split("/")[1:]
    name = "_".join([patient, *rest])
    if sex not in ("M", "F"):
        sex = str(generator("phantom", "sex", patient).choice(["M", "F"]))
    shown = {_shown(finding, image_id) for finding in findings.split("|")} - {""}
    film = generator("phantom", "proportions", image_id)
    longer = 2 * round(SHORTER / 2 * film.uniform(1.0, 1.22))
    upright = film.uniform() < 0.15
    image = render(
        name, patient=patient, sex=sex, age=age, view=view, findings=shown, side=2 * longer
    )
    image = resize(image, longer, "antialiased")  # the small images are shrunken ones too
    cut = longer - SHORTER
    if upright:
        return image[:, cut // 2 : cut // 2 + SHORTER]
    top = round(0.3 * cut)  # what a wide film loses is the abdomen rather than the shoulders
    return image[top : top + SHORTER]


def _shown(finding: str, image_id: str) -> str:
    ways = DRAWN.get(finding, ())
    return str(generator("phantom", finding, image_id).choice(ways)) if ways else ""


def _write(folder: Path, job: _Job) -> None:
    settings = [cv2.IMWRITE_JPEG_QUALITY, QUALITY]
    _, encoded = cv2.imencode(".jpg", draw(*job), settings)
    with atomic(folder / job[0]) as temporary:
        temporary.write_bytes(encoded.tobytes())
