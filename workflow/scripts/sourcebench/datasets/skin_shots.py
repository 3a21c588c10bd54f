"""What mirrors of dermoscopic datasets share: phantoms in files, and columns of invented tables."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
import pandas as pd

from sourcebench.datasets.mirrors import write_missing
from sourcebench.files import atomic
from sourcebench.phantoms.skin import render

QUALITY = 92
"""Of the phantoms' JPEGs."""


class Shot(NamedTuple):
    """A phantom to be written.

    Attributes:
        path: relative to the folder of phantoms; its suffix says the format.
        patient, diagnosis, clinic, lesion: as `render` takes them.
        height, width: px.
    """

    path: str
    patient: str
    diagnosis: str
    clinic: str
    lesion: str | None
    height: int
    width: int


def write_shots(
    wanted: pd.DataFrame,
    columns: Sequence[str],
    folder: Path,
    shot: Callable[..., Shot],
    processes: int,
) -> int:
    """Write the phantoms that a folder lacks, each whole or not at all.

    Args:
        wanted: rows of manifests.
        columns: those that `shot` takes, in this order.
        folder: where the files go.
        shot: says of a row what is to be drawn for it.
        processes: how many to draw in parallel.

    Returns:
        How many were written.

    Raises:
        SourceBenchError: a column is missing, what is asked for can't be drawn, or the disk is
            full.
    """

    def plan(rows: pd.DataFrame) -> list[Shot]:
        shots = [shot(*cells) for cells in rows.itertuples(index=False)]
        return [each for each in shots if not (folder / each.path).exists()]

    return len(write_missing(wanted, columns, folder, plan, _write, processes))


def _write(folder: Path, shot: Shot) -> None:
    image = render(
        Path(shot.path).stem,
        patient=shot.patient,
        diagnosis=shot.diagnosis,
        clinic=shot.clinic,
        lesion=shot.lesion,
        side=shot.height,
        width=shot.width,
    )
    settings = [cv2.IMWRITE_JPEG_QUALITY, QUALITY] if shot.path.endswith(".jpg") else []
    _, encoded = cv2.imencode(Path(shot.path).suffix, image[..., ::-1], settings)
    with atomic(folder / shot.path) as temporary:
        temporary.write_bytes(encoded.tobytes())


def write_text(path: Path, text: str) -> None:
    """Write an invented table where the original has its own, unless it is there."""
    if not path.exists():
        with atomic(path) as temporary:
            temporary.write_text(text, encoding="utf-8")


def shares(rng: np.random.Generator, counts: dict[str, int]) -> list[str]:
    """Return each name as often as its count says, in random order."""
    names = np.repeat(list(counts), list(counts.values()))
    return [str(name) for name in rng.permutation(names)]


def chosen(rng: np.random.Generator, chances: dict[str, float], count: int) -> list[str]:
    """Return names drawn by their chances, which need not add up to 1."""
    p = np.array(list(chances.values()))
    return [str(name) for name in rng.choice(list(chances), count, p=p / p.sum())]


def ages(rng: np.random.Generator, older: Any) -> list[float]:
    """Return ages in steps of five years: of some 45 years, or 62 where `older` is true."""
    years = rng.normal(np.where(np.asarray(older), 62, 45), 14)
    return [float(age) for age in np.clip(5 * np.round(years / 5), 5, 85)]
