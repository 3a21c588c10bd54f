"""A mirror of LIDC-IDRI for its nodules: they look as their readers said.

Chests, places and outlines are those of kind `lidc_idri`. Of it the nodules alone are drawn in
another way: there a nodule's margin is that of the outlines, and its tissue goes by malignancy.
"""

import functools
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from sourcebench.datasets.lidc import mirror as lidc
from sourcebench.datasets.lidc_nodules.dataset import as_slices
from sourcebench.datasets.mirrors import MIRRORS, write_missing
from sourcebench.phantoms.canvas import Array
from sourcebench.phantoms.thorax import Section
from sourcebench.phantoms.thorax.nodule import core, spiculated
from sourcebench.seeds import generator

_HAZE = (-640, -480)
_SOLID = (25, 85)
_CALCIFIED = (220, 500)
_ABSENT = 4.5
"""A nodule whose readers say less than that of its calcification, on average, has some."""


@MIRRORS.register("lidc_nodules")
def mirror(wanted: pd.DataFrame, folder: Path, processes: int) -> int:
    """Write phantoms of the wanted nodules' slices, see `lidc.mirror.mirror`.

    Returns:
        How many slices were written: nodules that share one are on it together.
    """
    plan = functools.partial(lidc.jobs_of, folder=folder, paint=paint)
    jobs = write_missing(as_slices(wanted), lidc.COLUMNS, folder, plan, lidc.write, processes)
    return sum(len(job.slices) for job in jobs)


def paint(nodule: lidc.Nodule, share: Array, origin: tuple[int, int]) -> list[Section]:
    """Draw a nodule as its readers described it, see `lidc.mirror.Paint`.

    The mean of their answers decides: spiculation how many spikes there are and how long, texture
    how much of its radius is solid and not haze, calcification whether it is as dense as bone.
    """
    said = _answers().loc[list(nodule.annotations)].mean()
    rng = generator("phantom", "nodule's tissue", nodule.uid, nodule.number)
    value = float(rng.uniform())
    degree = (said["spiculation"] - 1) / 4
    grown, room = spiculated(
        share, nodule.spacing, degree, generator("phantom", "spikes", nodule.uid, nodule.number)
    )
    place = (origin[0] - room, origin[1] - room)
    low, high = _CALCIFIED if said["calcification"] < _ABSENT else _SOLID
    dense = low + (high - low) * value + 25 * nodule.enhanced
    solid = float(np.clip((said["texture"] - 1) / 3.5, 0, 1))
    haze = _HAZE[0] + (_HAZE[1] - _HAZE[0]) * value
    parts = [(grown, haze)] if solid < 1 else []
    parts += [(core(grown, solid), dense)] if solid > 0 else []
    return [lidc.section(part, place, hu) for part, hu in parts]


@cache
def _answers() -> pd.DataFrame:
    from sourcebench.datasets.lidc_nodules.opinions import answers

    return answers()
