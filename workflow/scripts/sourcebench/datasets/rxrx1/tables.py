"""RxRx1's table of sites: the published one, and one of the same make for phantoms."""

from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from sourcebench.datasets.base import METADATA_COLUMNS
from sourcebench.errors import SourceBenchError
from sourcebench.phantoms.cells.looks import UNTREATED
from sourcebench.retrieval import tables
from sourcebench.seeds import generator

NAME = "metadata.csv"
COLUMNS = (
    "site_id", "well_id", "cell_type", "dataset", "experiment", "plate", "well", "site",
    "well_type", "sirna", "sirna_id",
)  # fmt: skip
"""Those of the published table."""

EXPERIMENTS = {"HEPG2": 11, "HUVEC": 24, "RPE": 11, "U2OS": 5}
"""Cell type → how many experiments (51); those of HepG2 are HEPG2-01 to HEPG2-11, and so on."""

TRAINING = {"HEPG2": 7, "HUVEC": 16, "RPE": 7, "U2OS": 3}
"""Cell type → how many of its first experiments the published split trains on (33)."""

PLATES, SITES = 4, 2
WELLS = tuple(f"{row}{column:02d}" for row in "BCDEFGHIJKLMNO" for column in range(2, 24))
"""The 308 of a plate of 384 that are used: no outer row or column."""

TREATMENTS, CONTROLS = 1108, 30
"""siRNAs that an experiment has in one well each, and those that each of its plates has."""

SIRNAS = TREATMENTS + CONTROLS + 1
"""Those, and none: the classes."""

EXCLUDED = 154
"""Sites that did not pass quality control."""

ALL = sum(EXPERIMENTS.values()) * PLATES * len(WELLS) * SITES - EXCLUDED
"""Sites there are: 125,510."""


def published(path: Path) -> pd.DataFrame:
    """Return the published table, see `metadata`.

    Raises:
        SourceBenchError: the file can't be read, or is not RxRx1's table.
    """
    table = tables.read(path, COLUMNS, filled=COLUMNS)
    for column in ("plate", "site", "sirna_id"):
        if not table[column].str.fullmatch(r"\d+").all():
            wrong = table.index[~table[column].str.fullmatch(r"\d+")]
            raise SourceBenchError(
                f"{path} has a {column} that is no number in {tables.in_words(wrong)}; give "
                "RxRx1's own table."
            )
    if (twice := table["site_id"].duplicated()).any():
        raise SourceBenchError(
            f"{path} has {twice.sum()} sites twice, such as {table.loc[twice, 'site_id'].iloc[0]}; "
            "give RxRx1's own table."
        )
    return table.astype({"plate": int, "site": int, "sirna_id": int}).reset_index(drop=True)


@cache
def invented() -> pd.DataFrame:
    """Return a table as the published one, for phantoms: its rows are invented.

    Experiments, plates, wells, sites, cell types, the published split and how many sites did not
    pass are RxRx1's; an experiment has each treatment in one well, each plate every positive
    control, and B02 of each plate is untreated. Which siRNA is in which well is drawn here anew,
    and so is which sites are missing; siRNAs are named after their numbers, 's0000' to 's1137'.
    """
    rng = generator("rxrx1", "table")
    experiments = pd.DataFrame(
        [
            (cell, f"{cell}-{number:02d}", "train" if number <= TRAINING[cell] else "test")
            for cell, count in EXPERIMENTS.items()
            for number in range(1, count + 1)
        ],
        columns=["cell_type", "experiment", "dataset"],
    )
    per_plate = TREATMENTS // PLATES
    controls = np.arange(TREATMENTS, TREATMENTS + CONTROLS)
    drawn = np.empty((len(experiments), PLATES, len(WELLS)), int)
    for experiment in drawn:
        treatments = rng.permutation(TREATMENTS).reshape(PLATES, per_plate)
        for plate, own in zip(experiment, treatments, strict=True):
            plate[0] = TREATMENTS + CONTROLS
            plate[1:] = rng.permutation(np.concatenate([own, controls]))
    sirna = np.repeat(drawn.ravel(), SITES)
    names = np.array([*(f"s{number:04d}" for number in range(SIRNAS - 1)), UNTREATED])
    kinds = np.repeat(
        ["treatment", "positive_control", "negative_control"], [TREATMENTS, CONTROLS, 1]
    )
    of_experiment = PLATES * len(WELLS) * SITES
    table = experiments.loc[experiments.index.repeat(of_experiment)].reset_index(drop=True)
    row = np.arange(len(table))
    plate = row // (len(WELLS) * SITES) % PLATES + 1
    table = table.assign(
        plate=plate,
        well=np.array(WELLS)[row // SITES % len(WELLS)],
        site=row % SITES + 1,
        well_type=kinds[sirna],
        sirna=names[sirna],
        sirna_id=sirna,
    )
    table["well_id"] = table["experiment"] + "_" + table["plate"].astype(str) + "_" + table["well"]
    table["site_id"] = table["well_id"] + "_" + table["site"].astype(str)
    passed = np.delete(row, rng.choice(len(table), EXCLUDED, replace=False))
    return table.loc[passed, list(COLUMNS)].reset_index(drop=True)


def metadata(table: pd.DataFrame, sirnas: int | None = None, sites: int = SITES) -> pd.DataFrame:
    """Return RxRx1's table in the form of every dataset, see `Dataset.metadata`.

    Args:
        table: with `COLUMNS`.
        sirnas: only the wells of the first so many siRNAs, by their numbers; None for all.
        sites: only the first so many of a well.

    Returns:
        `image_id` is the site's, `patient_id` the well's (what is drawn is drawn by well),
        `findings` the siRNA; then `cell_type`, `domain` (the experiment), `plate`, `well`, `site`,
        `well_type`, `sirna`.

    Raises:
        SourceBenchError: there are not so many siRNAs.
    """
    known = table["sirna_id"].nunique()
    if sirnas is not None and sirnas > known:
        raise SourceBenchError(
            f"The first {sirnas} siRNAs are wanted, but RxRx1's table has {known}."
        )
    chosen = table["site"] <= sites
    if sirnas is not None:
        first = np.sort(table["sirna_id"].unique())[:sirnas]
        chosen &= table["sirna_id"].isin(first)
    table = table[chosen].rename(
        columns={"site_id": "image_id", "well_id": "patient_id", "experiment": "domain"}
    )
    table = table.assign(sex=None, age=None, view=None, findings=table["sirna"])
    further = ["cell_type", "domain", "plate", "well", "site", "well_type", "sirna"]
    return table[METADATA_COLUMNS + further].reset_index(drop=True)
