"""A mirror of ISIC 2020: phantoms where its archive unpacks to, and its tables."""

from pathlib import Path

import pandas as pd

from sourcebench.datasets.isic2020 import tables
from sourcebench.datasets.isic2020.dataset import TABLE
from sourcebench.datasets.mirrors import MIRRORS
from sourcebench.datasets.skin_shots import Shot, write_shots, write_text
from sourcebench.seeds import generator

DRAWN: dict[str, tuple[str, ...]] = {
    "unknown": ("nv",) * 9 + ("bkl",),
    "nevus": ("nv",),
    "melanoma": ("mel",),
    "seborrheic keratosis": ("bkl",),
    "lentigo NOS": ("bkl",),
    "lichenoid keratosis": ("bkl",),
    "solar lentigo": ("bkl",),
    "cafe-au-lait macule": ("nv",),
    "atypical melanocytic proliferation": ("nv",),
}
"""ISIC's diagnoses → those of the phantoms, one by chance."""

LOOKS = {
    "MSKCC": ("mskcc", 360, 540),
    "HCB": ("barcelona", 384, 384),
    "Queensland": ("queensland", 360, 640),
    "Vienna": ("vienna", 360, 480),
    "Sydney": ("sydney", 360, 540),
}
"""Clinic → that of the phantoms, height and width: smaller than the originals, which have up to
6000×4000 px, and in proportions that are usual there."""

COLUMNS = ("image_id", "patient_id", "findings", "domain")


@MIRRORS.register("isic2020")
def mirror(wanted: pd.DataFrame, folder: Path, processes: int) -> int:
    """Write JPEGs `folder/train/ISIC_0015719.jpg`, of a size that differs by clinic.

    Images that are there already are left alone.

    Args:
        wanted: columns `image_id`, `patient_id`, `findings`, `domain`.
        folder: where the files go; made if missing.
        processes: how many to draw in parallel.

    Returns:
        How many images were written.

    Raises:
        SourceBenchError: a column is missing, or the disk is full.
    """
    table = tables.invented()
    write_text(folder / TABLE, table.drop(columns="attribution").to_csv(index=False))
    clinics = table.rename(columns={"image_name": "isic_id"})[["isic_id", "attribution"]]
    write_text(folder / "challenge-2020-training_metadata.csv", clinics.to_csv(index=False))
    return write_shots(wanted, COLUMNS, folder, _shot, processes)


def _shot(image_id: str, patient_id: str, findings: str, domain: object) -> Shot:
    ways = DRAWN.get(findings.split("|")[0], ("nv",))
    diagnosis = str(generator("phantom", "diagnosis", image_id).choice(ways))
    clinic, height, width = LOOKS.get(str(domain), LOOKS["MSKCC"])
    return Shot(f"train/{image_id}", patient_id, diagnosis, clinic, None, height, width)
