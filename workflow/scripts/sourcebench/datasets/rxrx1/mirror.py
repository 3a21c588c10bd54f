"""A mirror of RxRx1: phantom cells under the names of its files."""

from pathlib import Path

import cv2
import pandas as pd

from sourcebench.datasets.mirrors import MIRRORS, write_missing
from sourcebench.datasets.rxrx1.sites import CHANNELS, file_name
from sourcebench.files import atomic
from sourcebench.phantoms.cells import render

COLUMNS = ("image_id", "patient_id", "cell_type", "domain", "plate", "site", "sirna")

_Job = tuple[str, str, str, str, int, int, str]


@MIRRORS.register("rxrx1")
def mirror(wanted: pd.DataFrame, folder: Path, processes: int) -> int:
    """Write six 512×512 8-bit grey PNGs a site, `folder/HUVEC-01/Plate1/B02_s1_w1.png` and so on.

    Sites whose six files are there are left alone. Each file appears whole or not at all.

    Args:
        wanted: `COLUMNS`, as `tables.metadata` returns them.
        folder: where the files go; made if missing.
        processes: how many to draw in parallel.

    Returns:
        How many sites were written.

    Raises:
        SourceBenchError: a column is missing, a cell type or an id is none of RxRx1's, or the disk
            is full.
    """

    def plan(rows: pd.DataFrame) -> list[_Job]:
        return [
            (str(site), str(well), str(cell), str(day), int(plate), int(number), str(sirna))
            for site, well, cell, day, plate, number, sirna in rows.itertuples(index=False)
            if not all((folder / name).exists() for name in _files(str(site)))
        ]

    return len(write_missing(wanted, COLUMNS, folder, plan, _write, processes))


def _files(image_id: str) -> list[str]:
    return [file_name(image_id, channel) for channel in range(1, CHANNELS + 1)]


def _write(folder: Path, job: _Job) -> None:
    image_id, well, cell_type, experiment, plate, site, sirna = job
    image = render(
        well,
        site=site,
        plate=plate,
        experiment=experiment,
        cell_type=cell_type,
        sirna=sirna,
    )
    for channel, name in enumerate(_files(image_id)):
        # Grain hardly compresses: the lowest level is several times faster and as small.
        settings = [cv2.IMWRITE_PNG_COMPRESSION, 1]
        _, encoded = cv2.imencode(".png", image[..., channel].copy(), settings)
        with atomic(folder / name) as temporary:
            temporary.write_bytes(encoded.tobytes())
