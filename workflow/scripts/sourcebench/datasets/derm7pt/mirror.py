"""A mirror of derm7pt: phantoms where release_v0.zip unpacks to, and its table.

The photographs that derm7pt has beside its dermoscopic images are not drawn.
"""

from pathlib import Path

import pandas as pd

from sourcebench.datasets.derm7pt import tables
from sourcebench.datasets.mirrors import MIRRORS
from sourcebench.datasets.skin_shots import Shot, write_shots, write_text
from sourcebench.errors import SourceBenchError
from sourcebench.seeds import generator

HEIGHT, WIDTH = 512, 768

DRAWN: dict[str, tuple[str, ...]] = {
    **{name: ("nv",) for name in tables.DIAGNOSES if name.endswith("nevus")},
    **{name: ("mel",) for name in tables.DIAGNOSES if name.startswith("melanoma")},
    "seborrheic keratosis": ("bkl",),
    "basal cell carcinoma": ("bcc",),
    "vascular lesion": ("vasc",),
    "lentigo": ("bkl",),
    "dermatofibroma": ("df",),
    "melanosis": ("bkl", "nv"),
    "miscellaneous": ("bkl", "df", "akiec"),
}
"""derm7pt's diagnoses → those of the phantoms, one by chance."""


@MIRRORS.register("derm7pt")
def mirror(wanted: pd.DataFrame, folder: Path, processes: int) -> int:
    """Write JPEGs `folder/release_v0/images/NEL/Nel026.jpg`, 768×512 as the originals.

    Images that are there already are left alone.

    Args:
        wanted: columns `image_id`, `patient_id`, `findings`.
        folder: where the files go; made if missing.
        processes: how many to draw in parallel.

    Returns:
        How many images were written.

    Raises:
        SourceBenchError: a column is missing, a diagnosis is not derm7pt's, or the disk is full.
    """
    write_text(folder / "release_v0/meta/meta.csv", tables.invented().to_csv(index=False))
    return write_shots(wanted, ("image_id", "patient_id", "findings"), folder, _shot, processes)


def _shot(image_id: str, patient_id: str, findings: str) -> Shot:
    if findings not in DRAWN:
        raise SourceBenchError(
            f"{image_id}: derm7pt has no diagnosis '{findings}'; there are: {', '.join(DRAWN)}."
        )
    diagnosis = str(generator("phantom", "diagnosis", image_id).choice(DRAWN[findings]))
    path = f"release_v0/images/{image_id}"
    return Shot(path, f"derm7pt {patient_id}", diagnosis, "atlas", None, HEIGHT, WIDTH)
