"""PH2's table `PH2_dataset.txt`: reading and writing it, and invented rows for phantoms.

Lines of the table begin with '||', which parts groups of columns, as '|' parts the columns of a
group; a legend follows (Mendonça et al. 2013, EMBC). The workbook beside it says the same.
"""

import re
from functools import cache
from pathlib import Path

import numpy as np
import pandas as pd

from sourcebench.datasets.base import METADATA_COLUMNS
from sourcebench.datasets.skin_shots import chosen, shares
from sourcebench.errors import SourceBenchError
from sourcebench.seeds import generator

GROUPS = (
    ("Name",),
    ("Histological Diagnosis",),
    ("Clinical Diagnosis",),
    ("Asymmetry", "Pigment Network", "Dots/Globules", "Streaks", "Regression Areas",
     "Blue-Whitish Veil"),
    ("Colors",),
)  # fmt: skip
COLUMNS = tuple(name for group in GROUPS for name in group)

DIAGNOSES = {"0": "Common Nevus", "1": "Atypical Nevus", "2": "Melanoma"}
"""Code of the clinical diagnosis → PH2's word for it."""

CASES = {"0": 80, "1": 80, "2": 40}

_CRITERIA: dict[str, tuple[dict[str, float], dict[str, float], dict[str, float]]] = {
    "Asymmetry": (
        {"0": 90, "1": 8, "2": 2}, {"0": 50, "1": 30, "2": 20}, {"0": 5, "1": 15, "2": 80}
    ),
    "Pigment Network": ({"T": 85, "AT": 15}, {"T": 45, "AT": 55}, {"T": 10, "AT": 90}),
    "Dots/Globules": (
        {"A": 55, "T": 40, "AT": 5}, {"A": 40, "T": 35, "AT": 25}, {"A": 30, "T": 10, "AT": 60}
    ),
    "Streaks": ({"A": 98, "P": 2}, {"A": 90, "P": 10}, {"A": 55, "P": 45}),
    "Regression Areas": ({"A": 99, "P": 1}, {"A": 97, "P": 3}, {"A": 45, "P": 55}),
    "Blue-Whitish Veil": ({"A": 99, "P": 1}, {"A": 97, "P": 3}, {"A": 20, "P": 80}),
    "Colors": (
        {"3": 30, "3  4": 60, "4": 10}, {"3  4": 70, "2  3  4": 20, "4  6": 10},
        {"3  4  5": 30, "3  4  5  6": 40, "1  4  5": 30},
    ),
}  # fmt: skip
"""Criterion → the chances of its values for each diagnosis, for invented rows."""


def read(path: Path) -> pd.DataFrame:
    """Read PH2's table.

    Returns:
        `COLUMNS`, every cell as text, '' where it is empty.

    Raises:
        SourceBenchError: the file can't be read, or has no such table.
    """
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError as error:
        raise SourceBenchError(f"{path} could not be read: {error.strerror}.") from error
    rows = []
    for number, line in enumerate(lines, 1):
        if not re.match(r"\s*\|\|\s*IMD\d+\s*\|\|", line):
            continue
        groups = [group.split("|") for group in line.strip().strip("|").split("||")]
        cells = [cell.strip() for group in groups for cell in group]
        if len(cells) != len(COLUMNS) or cells[2] not in DIAGNOSES:
            raise SourceBenchError(
                f"Line {number} of {path} is not as PH2 has it: {len(COLUMNS)} cells are expected, "
                f"the third of them 0, 1 or 2, but it is '{line.strip()}'."
            )
        rows.append(cells)
    if not rows:
        raise SourceBenchError(
            f"{path} has no line such as '|| IMD003 || …'; give PH2_dataset.txt as it comes with "
            "PH2."
        )
    return pd.DataFrame(rows, columns=COLUMNS)


def text(table: pd.DataFrame) -> str:
    """Return a table as PH2 writes its own."""
    lines = []
    for cells in (COLUMNS, *table[list(COLUMNS)].itertuples(index=False)):
        left = list(cells)
        groups = [" | ".join(str(left.pop(0)) for _ in group) for group in GROUPS]
        lines.append(f"|| {' || '.join(groups)} ||")
    return "\n".join(lines) + "\n"


def arranged(table: pd.DataFrame) -> pd.DataFrame:
    """Return PH2's table in the form of every dataset, see `Dataset.metadata`.

    A patient is an image: PH2 knows neither whose it is, nor age or sex. `findings` is the clinical
    diagnosis in words; the criteria are kept, their names in small letters ('pigment_network').
    """
    criteria = {re.sub(r"\W", "_", name.lower()): table[name] for name in (*GROUPS[3], *GROUPS[4])}
    unknown = pd.Series(pd.NA, index=table.index, dtype="str")
    found = pd.DataFrame(
        {
            "image_id": table["Name"] + ".bmp",
            "patient_id": table["Name"],
            "sex": unknown,
            "age": np.nan,
            "view": unknown,
            "findings": table["Clinical Diagnosis"].map(DIAGNOSES),
            "domain": "ph2",
            **criteria,
        }
    )
    return found[[*METADATA_COLUMNS, "domain", *criteria]].reset_index(drop=True)


@cache
def invented() -> pd.DataFrame:
    """Return 200 invented rows.

    Real are the columns, their codes, and the number of images of each diagnosis; all else is
    drawn at random, names too. Criteria go with the diagnosis, and the phantoms show others than
    those of their row: they are drawn by the diagnosis alone.
    """
    rng = generator("phantom", "ph2", "table")
    codes = np.array(shares(rng, CASES))
    numbers = np.sort(2 + rng.permutation(436)[: len(codes)])
    table = pd.DataFrame({"Name": [f"IMD{number:03d}" for number in numbers]})
    table["Clinical Diagnosis"] = codes
    histology = rng.uniform(size=len(codes)) < 0.03
    words = pd.Series(codes).map(DIAGNOSES).to_numpy()
    table["Histological Diagnosis"] = np.where(histology | (codes == "2"), words, "")
    for name, chances in _CRITERIA.items():
        drawn = [chosen(rng, each, len(codes)) for each in chances]
        table[name] = [drawn[int(code)][i] for i, code in enumerate(codes)]
    return table[list(COLUMNS)]
