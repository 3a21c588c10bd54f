"""A mirror of PH2: phantoms where its archive unpacks to, and its table; masks are not drawn."""

from pathlib import Path

import pandas as pd

from sourcebench.datasets.mirrors import MIRRORS
from sourcebench.datasets.ph2 import tables
from sourcebench.datasets.skin_shots import Shot, write_shots, write_text
from sourcebench.errors import SourceBenchError

HEIGHT, WIDTH = 560, 768

DRAWN = {"Common Nevus": "nv", "Atypical Nevus": "nv", "Melanoma": "mel"}
"""PH2's diagnoses → those of the phantoms."""


@MIRRORS.register("ph2")
def mirror(wanted: pd.DataFrame, folder: Path, processes: int) -> int:
    """Write BMPs `…/IMD003/IMD003_Dermoscopic_Image/IMD003.bmp`, 768×560 as most of the originals.

    Images that are there already are left alone.

    Args:
        wanted: columns `image_id`, `patient_id`, `findings`.
        folder: where the files go, in `PH2Dataset/PH2 Dataset images`; made if missing.
        processes: how many to draw in parallel.

    Returns:
        How many images were written.

    Raises:
        SourceBenchError: a column is missing, a diagnosis is not PH2's, or the disk is full.
    """
    write_text(folder / "PH2Dataset/PH2_dataset.txt", tables.text(tables.invented()))
    return write_shots(wanted, ("image_id", "patient_id", "findings"), folder, _shot, processes)


def _shot(image_id: str, patient_id: str, findings: str) -> Shot:
    if findings not in DRAWN:
        raise SourceBenchError(
            f"{image_id}: PH2 has no diagnosis '{findings}'; there are: {', '.join(DRAWN)}."
        )
    name = image_id.removesuffix(".bmp")
    path = f"PH2Dataset/PH2 Dataset images/{name}/{name}_Dermoscopic_Image/{image_id}"
    patient = f"ph2 {patient_id}"
    return Shot(path, patient, DRAWN[findings], "tuebinger", None, HEIGHT, WIDTH)
