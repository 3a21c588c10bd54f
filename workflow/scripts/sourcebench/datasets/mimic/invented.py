"""Invented tables in the form of MIMIC-CXR-JPG's, for phantoms: no row of them is a real one.

Who wants the real ones has to sign for them, so that none may be shipped. What is as it is there
are the columns and their values; shares of views and findings are of that order, not counted.
"""

from functools import cache
from types import MappingProxyType

import numpy as np
import pandas as pd

from sourcebench.datasets.mimic.tables import FINDINGS, LABELS, METADATA, PATIENTS, SPLIT, joined
from sourcebench.seeds import generator

SUBJECTS = 3000
NO_FINDING = "No Finding"
DEVICES = "Support Devices"

SHARES: MappingProxyType[str, tuple[float, float]] = MappingProxyType(
    {
        "Atelectasis": (0.28, 0.07), "Cardiomegaly": (0.28, 0.04), "Consolidation": (0.09, 0.03),
        "Edema": (0.18, 0.09), "Enlarged Cardiomediastinum": (0.05, 0.06), "Fracture": (0.03, 0.01),
        "Lung Lesion": (0.05, 0.01), "Lung Opacity": (0.32, 0.02), "Pleural Effusion": (0.30, 0.04),
        "Pleural Other": (0.02, 0.01), "Pneumonia": (0.12, 0.12), "Pneumothorax": (0.08, 0.01),
    }
)  # fmt: skip
"""Of studies that are not normal: the share in which a finding is present, and left open."""

DEVICE_SHARE = {"AP": 0.5, "PA": 0.1}
DENIED = 0.15
"""Share of findings otherwise not mentioned that a report says are absent."""

_WORDS = {
    "AP": ("CHEST (PORTABLE AP)", "antero-posterior"),
    "PA": ("CHEST (PA AND LAT)", "postero-anterior"),
    "LATERAL": ("CHEST (PA AND LAT)", "lateral"),
}


@cache
def metadata() -> pd.DataFrame:
    """Return the invented rows in the form of every dataset, see `tables.joined`."""
    return joined(tables())


@cache
def tables() -> dict[str, pd.DataFrame]:
    """Return the invented tables by their names, with the columns of the published ones.

    3,000 patients have one to six studies each: of portable ones a single AP radiograph, of others
    a PA and a lateral one. Portable ones are more often abnormal, as are those of the old.
    """
    rng = generator("phantom", "mimic", "tables")
    patients = _patients(rng)
    studies = _studies(rng, patients)
    images = _images(rng, studies)
    split = images[["dicom_id", "study_id", "subject_id"]].copy()
    part = rng.choice(["train", "validate", "test"], SUBJECTS, p=[0.9, 0.04, 0.06])
    split["split"] = split["subject_id"].map(dict(zip(patients["subject_id"], part, strict=True)))
    labels = studies[["subject_id", "study_id", *FINDINGS]]
    return {METADATA: images, LABELS: labels, SPLIT: split, PATIENTS: patients}


def _patients(rng: np.random.Generator) -> pd.DataFrame:
    age = np.clip(rng.normal(60, 18, SUBJECTS), 18, 95).round().astype(int)
    return pd.DataFrame(
        {
            "subject_id": np.sort(10_000_000 + rng.choice(9_999_999, SUBJECTS, replace=False)),
            "gender": rng.choice(["F", "M"], SUBJECTS),
            "anchor_age": np.where(age > 89, 91, age),
            "anchor_year": rng.integers(2110, 2200, SUBJECTS),
            "anchor_year_group": rng.choice(["2011 - 2013", "2014 - 2016"], SUBJECTS),
            "dod": pd.Series(pd.NA, index=range(SUBJECTS), dtype="str"),
        }
    )


def _studies(rng: np.random.Generator, patients: pd.DataFrame) -> pd.DataFrame:
    """Return a row per study, sorted by patient and time: its view, date and labels."""
    counts = np.minimum(rng.geometric(0.45, SUBJECTS), 6)
    table = patients.loc[patients.index.repeat(counts)].reset_index(drop=True)
    n = len(table)
    later = table.groupby("subject_id").cumcount() // 2
    view = np.where(rng.uniform(size=n) < 0.55, "AP", "PA")
    normal = rng.uniform(size=n) < 0.42 - 0.004 * (table["anchor_age"] - 60) - 0.2 * (view == "AP")
    labels = {NO_FINDING: pd.Series(np.where(normal, 1.0, np.nan))}
    for name, (present, open_) in SHARES.items():
        drawn = rng.uniform(size=n)
        said = np.select([drawn < present, drawn < present + open_], [1.0, -1.0], np.nan)
        said[normal] = np.nan
        denied = np.isnan(said) & (rng.uniform(size=n) < DENIED)
        labels[name] = pd.Series(np.where(denied, 0.0, said))
    devices = rng.uniform(size=n) < np.where(view == "AP", DEVICE_SHARE["AP"], DEVICE_SHARE["PA"])
    labels[DEVICES] = pd.Series(np.where(devices, 1.0, np.nan))
    day = rng.integers(1, 29, n) + 100 * rng.integers(1, 13, n)
    return table.assign(
        study_id=50_000_000 + rng.choice(9_999_999, n, replace=False),
        StudyDate=10_000 * (table["anchor_year"] + later) + day,
        StudyTime=rng.integers(0, 24, n) * 10_000 + rng.integers(0, 60, n) * 100,
        ViewPosition=view,
        **labels,
    )


def _images(rng: np.random.Generator, studies: pd.DataFrame) -> pd.DataFrame:
    sides = studies[studies["ViewPosition"] == "PA"].assign(ViewPosition="LATERAL")
    table = pd.concat([studies, sides]).sort_values(
        ["subject_id", "study_id", "ViewPosition"], ascending=[True, True, False], ignore_index=True
    )
    marks = rng.integers(0, 1 << 32, (len(table), 5))
    words = pd.DataFrame(table["ViewPosition"].map(_WORDS).tolist(), columns=["step", "view"])
    upright = (table["ViewPosition"] != "LATERAL") & (rng.uniform(size=len(table)) < 0.6)
    return pd.DataFrame(
        {
            "dicom_id": ["-".join(f"{mark:08x}" for mark in row) for row in marks],
            "subject_id": table["subject_id"],
            "study_id": table["study_id"],
            "PerformedProcedureStepDescription": words["step"],
            "ViewPosition": table["ViewPosition"],
            "Rows": np.where(upright, 3056, 2544),
            "Columns": np.where(upright, 2544, 3056),
            "StudyDate": table["StudyDate"],
            "StudyTime": table["StudyTime"],
            "ProcedureCodeSequence_CodeMeaning": words["step"],
            "ViewCodeSequence_CodeMeaning": words["view"],
            "PatientOrientationCodeSequence_CodeMeaning": np.where(
                table["ViewPosition"] == "AP", "", "Erect"
            ),
        }
    )
