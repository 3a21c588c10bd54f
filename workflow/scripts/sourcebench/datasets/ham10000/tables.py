"""HAM10000's table: its columns, and invented rows for phantoms.

The counts are those of Tschandl, Rosendahl & Kittler (2018, Scientific Data 5:180161).
"""

from functools import cache

import numpy as np
import pandas as pd

from sourcebench.datasets.base import METADATA_COLUMNS
from sourcebench.datasets.skin_shots import ages, chosen
from sourcebench.seeds import generator

COLUMNS = (
    "lesion_id", "image_id", "dx", "dx_type", "age", "sex", "localization", "dataset",
)  # fmt: skip
DIAGNOSES = ("akiec", "bcc", "bkl", "df", "mel", "nv", "vasc")
IMAGES = {
    "rosendahl": (295, 296, 490, 30, 342, 803, 3),
    "vienna_dias": (0, 5, 10, 4, 67, 350, 3),
    "vidir_modern": (32, 211, 475, 51, 680, 1832, 82),
    "vidir_molemax": (0, 2, 124, 30, 24, 3720, 54),
}
"""Source → its images of each diagnosis; 10,015 in all (their Table 1)."""

LESIONS = {"akiec": 228, "bcc": 327, "bkl": 727, "df": 73, "mel": 614, "nv": 5403, "vasc": 98}
"""Diagnosis → its lesions, 7,470 in all; a lesion has one to six images."""

FIRST, PART_1 = 24306, 5000
"""The number of the first image, and how many of the images are in the first archive."""

_CONFIRMED = {
    "nv": {"follow_up": 0.55, "histo": 0.37, "consensus": 0.08},
    "mel": {"histo": 1.0},
    "bcc": {"histo": 1.0},
    "akiec": {"histo": 1.0},
    "bkl": {"histo": 0.7, "consensus": 0.24, "confocal": 0.06},
    "df": {"histo": 0.5, "consensus": 0.5},
    "vasc": {"histo": 0.5, "consensus": 0.5},
}
_SITES = {
    "back": 22, "lower extremity": 21, "trunk": 14, "upper extremity": 11, "abdomen": 10,
    "face": 7, "chest": 4, "foot": 3, "unknown": 2, "neck": 2, "scalp": 1, "hand": 1, "ear": 1,
    "genital": 0.5, "acral": 0.1,
}  # fmt: skip


def arranged(table: pd.DataFrame) -> pd.DataFrame:
    """Return HAM10000's table in the form of every dataset, see `Dataset.metadata`.

    A patient is a lesion: the table knows no others. `findings` is `dx`, `domain` the source that
    the column `dataset` names; `dx_type` and `localization` are kept.
    """
    found = pd.DataFrame(
        {
            "image_id": table["image_id"] + ".jpg",
            "patient_id": table["lesion_id"],
            "sex": table["sex"].map({"male": "M", "female": "F"}),
            "age": table["age"].astype(float),
            "view": pd.Series(pd.NA, index=table.index, dtype="str"),
            "findings": table["dx"],
            "domain": table["dataset"],
            "dx_type": table["dx_type"],
            "localization": table["localization"],
        }
    )
    return found[[*METADATA_COLUMNS, "domain", "dx_type", "localization"]].reset_index(drop=True)


@cache
def invented() -> pd.DataFrame:
    """Return 10,015 invented rows under HAM10000's names of images.

    Real are the columns, the names of images, and how many images there are of each diagnosis and
    source, and how many lesions; all else is drawn at random: which image shows what, who has it
    and where, and what goes with what. The phantoms show what these rows say, not HAM10000's.
    """
    rng = generator("phantom", "ham10000", "table")
    rows: list[tuple[str, str, int]] = []
    first = 0
    for column, dx in enumerate(DIAGNOSES):
        cells = {source: counts[column] for source, counts in IMAGES.items() if counts[column]}
        for (source, images), lesions in zip(
            cells.items(), _parted(LESIONS[dx], list(cells.values())), strict=True
        ):
            extra = rng.integers(0, lesions, images - lesions)
            numbers = np.concatenate([np.arange(lesions), extra]) + first
            rows += [(dx, source, int(number)) for number in numbers]
            first += lesions
    order = rng.permutation(len(rows))
    names = rng.permutation(first)
    table = pd.DataFrame([rows[i] for i in order], columns=["dx", "dataset", "lesion"])
    people = pd.DataFrame({"lesion": range(first)})
    shown = table.drop_duplicates("lesion").sort_values("lesion")["dx"]
    people["age"] = ages(rng, shown.isin(["akiec", "bcc", "bkl", "mel"]).to_numpy())
    people["sex"] = chosen(rng, {"male": 54, "female": 45.4, "unknown": 0.6}, first)
    people["localization"] = chosen(rng, _SITES, first)
    people["dx_type"] = [chosen(rng, _CONFIRMED[each], 1)[0] for each in shown]
    people["lesion_id"] = [f"HAM_{number:07d}" for number in names]
    table = table.merge(people, on="lesion")
    table["image_id"] = [f"ISIC_{FIRST + i:07d}" for i in range(len(table))]
    return table[list(COLUMNS)]


def _parted(total: int, weights: list[int]) -> list[int]:
    """Part a whole number by weights, none of the parts empty or above its weight."""
    exact = np.array(weights) * total / sum(weights)
    parts = np.clip(np.floor(exact).astype(int), 1, weights)
    while parts.sum() < total:
        parts[np.argmax(np.where(parts < weights, exact - parts, -np.inf))] += 1
    return [int(part) for part in parts]
