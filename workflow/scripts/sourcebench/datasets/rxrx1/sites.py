"""How RxRx1's files are named: six for each site, `images/HUVEC-01/Plate1/B02_s1_w1.png`."""

import re
from collections.abc import Iterable
from pathlib import Path

import numpy as np

from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.retrieval.formats.png import read_png

CHANNELS = 6

_PLACE = re.compile(r"([^/]+)/Plate(\d+)/([A-P]\d{2})_s(\d+)_w(\d)\.png")


def file_name(image_id: str, channel: int) -> str:
    """Return the path of a site's file within `images/`.

    Args:
        image_id: the site's, 'HUVEC-01_1_B02_1': experiment, plate, well, site.
        channel: 1 to `CHANNELS`.

    Raises:
        SourceBenchError: the id is not a site's.
    """
    experiment, *rest = image_id.rsplit("_", 3)
    if len(rest) != 3 or not experiment or "/" in experiment or experiment.startswith("."):
        raise SourceBenchError(
            f"'{image_id}' is no site of RxRx1's; such an id is 'HUVEC-01_1_B02_1' (experiment, "
            "plate, well, site)."
        )
    plate, well, site = rest
    return f"{experiment}/Plate{plate}/{well}_s{site}_w{channel}.png"


def known_by(path: str) -> tuple[str, int] | None:
    """Return the `image_id` and the channel of a file, by the end of its path; None for others."""
    match = _PLACE.fullmatch("/".join(path.replace("\\", "/").split("/")[-3:]))
    if match is None or not 1 <= int(match[5]) <= CHANNELS:
        return None
    return "_".join(match.groups()[:4]), int(match[5])


def beside(path: Path) -> list[Path]:
    """Return a site's files in the order of the channels, from the path of its first."""
    stem = path.name.removesuffix("1.png")
    return [path.with_name(f"{stem}{channel}.png") for channel in range(1, CHANNELS + 1)]


def read_site(path: Path) -> Image:
    """Read a site from its six 8-bit grey PNGs.

    Args:
        path: of its first channel's; the others lie beside it.

    Returns:
        H×W×6, uint8, in the order of the channels.

    Raises:
        SourceBenchError: a file is missing, damaged, of another kind, or of another size than the
            first.
    """
    files = beside(path)
    if missing := [file for file in files if not file.exists()]:
        raise SourceBenchError(
            f"The site {path.parent}/{path.name.removesuffix('_w1.png')} lacks {len(missing)} of "
            f"its {CHANNELS} channels: {_names(missing)}. Get the files again, or delete the "
            "site's others to leave it out."
        )
    greys = [read_png(file) for file in files]
    for file, grey in zip(files, greys, strict=True):
        if grey.shape != greys[0].shape:
            raise SourceBenchError(
                f"{file} is {grey.shape[1]}×{grey.shape[0]} px, but {path.name} is "
                f"{greys[0].shape[1]}×{greys[0].shape[0]} px; a site's channels must be of one "
                "size. Get the files again."
            )
    return np.stack(greys, axis=-1)


def _names(files: Iterable[Path]) -> str:
    return ", ".join(file.name for file in files)
