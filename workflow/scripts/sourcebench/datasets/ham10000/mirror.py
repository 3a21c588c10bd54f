"""A mirror of HAM10000: phantoms where its two archives unpack to, and its table."""

from pathlib import Path

import pandas as pd

from sourcebench.datasets.ham10000 import tables
from sourcebench.datasets.mirrors import MIRRORS
from sourcebench.datasets.skin_shots import Shot, write_shots, write_text

HEIGHT, WIDTH = 450, 600

CLINICS = {
    "rosendahl": "rosendahl",
    "vienna_dias": "dias",
    "vidir_modern": "modern",
    "vidir_molemax": "molemax",
}
"""HAM10000's sources → the clinics of the phantoms."""


@MIRRORS.register("ham10000")
def mirror(wanted: pd.DataFrame, folder: Path, processes: int) -> int:
    """Write JPEGs `folder/HAM10000_images_part_1/ISIC_0024306.jpg`, 600×450 as the originals.

    Images of a lesion show the same lesion, taken anew. Images that are there are left alone.

    Args:
        wanted: columns `image_id`, `patient_id`, `findings`, `domain`.
        folder: where the files go; made if missing.
        processes: how many to draw in parallel.

    Returns:
        How many images were written.

    Raises:
        SourceBenchError: a column is missing, a finding or domain is not HAM10000's, or the disk
            is full.
    """
    write_text(folder / "HAM10000_metadata.csv", tables.invented().to_csv(index=False))
    return write_shots(
        wanted, ("image_id", "patient_id", "findings", "domain"), folder, _shot, processes
    )


def _shot(image_id: str, patient_id: str, dx: str, source: str) -> Shot:
    number = int(image_id.removeprefix("ISIC_").removesuffix(".jpg"))
    part = 1 if number < tables.FIRST + tables.PART_1 else 2
    path = f"HAM10000_images_part_{part}/{image_id}"
    return Shot(path, patient_id, dx, CLINICS.get(source, source), patient_id, HEIGHT, WIDTH)
