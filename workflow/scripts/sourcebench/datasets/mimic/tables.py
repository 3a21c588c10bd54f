"""The tables of MIMIC-CXR-JPG: what they are called, and what becomes of them.

They lie beside the folder `files`, under the names of version 2.0.0 in version 2.1.0 as well. Sex
and age are in none of them, but in `patients.csv.gz` of MIMIC-IV, which has the same patients.
"""

import zlib
from collections.abc import Mapping, Sequence
from pathlib import Path

import pandas as pd

from sourcebench.datasets.base import METADATA_COLUMNS
from sourcebench.errors import SourceBenchError

FINDINGS = (
    "Atelectasis", "Cardiomegaly", "Consolidation", "Edema", "Enlarged Cardiomediastinum",
    "Fracture", "Lung Lesion", "Lung Opacity", "No Finding", "Pleural Effusion", "Pleural Other",
    "Pneumonia", "Pneumothorax", "Support Devices",
)  # fmt: skip
"""What CheXpert's labeller looked for in the reports, in the order of the table's columns."""

METADATA, LABELS, SPLIT = (f"mimic-cxr-2.0.0-{what}" for what in ("metadata", "chexpert", "split"))
PATIENTS = "patients"

COLUMNS: Mapping[str, Sequence[str]] = {
    METADATA: ("dicom_id", "subject_id", "study_id", "ViewPosition", "StudyDate"),
    LABELS: ("subject_id", "study_id", *FINDINGS),
    SPLIT: ("dicom_id", "split"),
    PATIENTS: ("subject_id", "gender", "anchor_age", "anchor_year"),
}
"""Name of a table, without suffix → the columns that are read of it."""

NEEDED = (METADATA, LABELS)
SUFFIXES = (".csv.gz", ".csv")
LATERAL = {"LATERAL": "lateral", "LL": "lateral", "RL": "lateral"}
PRESENT = 1


def find(folders: Sequence[Path]) -> dict[str, Path]:
    """Return where the tables are: each in the first of some folders that has it.

    Args:
        folders: where to look, not below them.

    Raises:
        SourceBenchError: one that is needed is in none of them.
    """
    places = {
        name: place
        for name in COLUMNS
        for folder in reversed(folders)
        for suffix in reversed(SUFFIXES)
        if (place := folder / f"{name}{suffix}").is_file()
    }
    if missing := [name for name in NEEDED if name not in places]:
        raise SourceBenchError(
            f"There is no {missing[0]}.csv.gz in {' or '.join(map(str, folders))}. Put it there "
            "from PhysioNet, or give the folder of the tables by the key 'tables'."
        )
    return places


def read(places: Mapping[str, Path]) -> pd.DataFrame:
    """Return the metadata that the tables in some places have, see `joined`.

    Raises:
        SourceBenchError: one can't be read, or lacks a column.
    """
    return joined({name: _read(path, COLUMNS[name]) for name, path in places.items()})


def _read(path: Path, columns: Sequence[str]) -> pd.DataFrame:
    try:
        table = pd.read_csv(path, usecols=lambda name: name in columns)
    except (OSError, EOFError, UnicodeError, ValueError, zlib.error) as error:
        raise SourceBenchError(
            f"{path} can't be read as a table ({str(error).partition(chr(10))[0]}). Get it again."
        ) from error
    if missing := [name for name in columns if name not in table]:
        raise SourceBenchError(
            f"{path} lacks the column {missing[0]}; it is not PhysioNet's table of this name."
        )
    return table


def joined(tables: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one row per radiograph, in the form of every dataset, see `Dataset.metadata`.

    `findings` are those that are present; what a report leaves open (−1) is not. They are empty
    where nothing is certain, and missing for a study that the labeller saw no report of. `view` is
    PA, AP, lateral (of either side), or what else the table has.

    Args:
        tables: by `METADATA`, `LABELS`, and, if they are there, `SPLIT` and `PATIENTS`.

    Returns:
        `METADATA_COLUMNS`, then `study_id` (text) and `split` (train|validate|test, as published);
        `age` (years, 91 for any above 89) is that of the year of the study.
    """
    images = tables[METADATA]
    said = tables[LABELS].set_index("study_id")[list(FINDINGS)] == PRESENT
    joint = pd.Series("", index=said.index)
    for finding in FINDINGS:
        joint += said[finding].map({True: f"|{finding}", False: ""})
    findings = joint.str.removeprefix("|")
    table = pd.DataFrame(
        {
            "image_id": images["dicom_id"] + ".jpg",
            "patient_id": images["subject_id"].astype(str),
            "sex": None,
            "age": None,
            "view": images["ViewPosition"].replace(LATERAL),
            "findings": images["study_id"].map(findings[~findings.index.duplicated()]),
            "study_id": images["study_id"].astype(str),
            "split": None,
        }
    )
    if PATIENTS in tables:
        known = tables[PATIENTS].set_index("subject_id")
        born = known["anchor_year"] - known["anchor_age"]
        table["sex"] = images["subject_id"].map(known["gender"])
        table["age"] = images["StudyDate"] // 10_000 - images["subject_id"].map(born)
        oldest = images["subject_id"].map(known["anchor_age"]) > 89  # all such are given as 91
        table["age"] = table["age"].mask(oldest, 91)
    if SPLIT in tables:
        table["split"] = images["dicom_id"].map(tables[SPLIT].set_index("dicom_id")["split"])
    return table[[*METADATA_COLUMNS, "study_id", "split"]]
