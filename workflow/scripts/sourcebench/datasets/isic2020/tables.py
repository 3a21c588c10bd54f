"""ISIC 2020's tables: what their columns mean, whose images they are, and invented rows.

The counts are those of its `ISIC_2020_Training_GroundTruth_v2.csv` and of Rotemberg et al. (2021,
Scientific Data 8:34).
"""

from functools import cache

import numpy as np
import pandas as pd

from sourcebench.datasets.base import METADATA_COLUMNS
from sourcebench.datasets.skin_shots import ages, chosen, shares
from sourcebench.seeds import generator

COLUMNS = (
    "image_name", "patient_id", "lesion_id", "sex", "age_approx",
    "anatom_site_general_challenge", "diagnosis", "benign_malignant", "target",
)  # fmt: skip
DIAGNOSES = {
    "unknown": 27124, "nevus": 5193, "melanoma": 584, "seborrheic keratosis": 135,
    "lentigo NOS": 44, "lichenoid keratosis": 37, "solar lentigo": 7, "cafe-au-lait macule": 1,
    "atypical melanocytic proliferation": 1,
}  # fmt: skip
"""Diagnosis → its images, 33,126 in all; melanoma is the one that is malignant."""

PATIENTS, WITH_MELANOMA = 2056, 428

ATTRIBUTED = {
    "Memorial Sloan Kettering": "MSKCC",
    "MSKCC": "MSKCC",
    "Barcelona": "HCB",
    "Queensland": "Queensland",
    "Vienna": "Vienna",
    "Guitera": "Sydney",
    "Sydney": "Sydney",
}
"""What an `attribution` of the ISIC archive has in it → the clinic; its wording has changed over
the years ('MSKCC' was to become 'Memorial Sloan Kettering Cancer Center')."""

_SHARES = {"MSKCC": 0.31, "HCB": 0.22, "Queensland": 0.20, "Vienna": 0.14, "Sydney": 0.13}
_SITES = {
    "torso": 51, "lower extremity": 25, "upper extremity": 15, "head/neck": 5.6, "": 1.6,
    "palms/soles": 1.1, "oral/genital": 0.4,
}  # fmt: skip


def clinic(attribution: object) -> str | None:
    """Return the clinic that an image is of, by the archive's word for it; another word stays."""
    if not isinstance(attribution, str):
        return None
    plain = attribution.replace("-", " ")
    return next((name for part, name in ATTRIBUTED.items() if part in plain), attribution)


def arranged(table: pd.DataFrame) -> pd.DataFrame:
    """Return ISIC 2020's table in the form of every dataset, see `Dataset.metadata`.

    Args:
        table: `COLUMNS`, and perhaps `attribution`.

    Returns:
        `findings` are `diagnosis` and `benign_malignant`, joined by '|'; `domain` is the clinic,
        missing where there is no attribution; `lesion_id` and the site of the body are kept.
    """
    site = "anatom_site_general_challenge"
    attribution = table.get("attribution", pd.Series(None, index=table.index, dtype="object"))
    found = pd.DataFrame(
        {
            "image_id": table["image_name"] + ".jpg",
            "patient_id": table["patient_id"],
            "sex": table["sex"].map({"male": "M", "female": "F"}),
            "age": pd.to_numeric(table["age_approx"], errors="coerce"),
            "view": pd.Series(pd.NA, index=table.index, dtype="str"),
            "findings": table["diagnosis"] + "|" + table["benign_malignant"],
            "domain": attribution.map(clinic).astype("str"),
            "lesion_id": table["lesion_id"],
            site: table[site],
        }
    )
    return found[[*METADATA_COLUMNS, "domain", "lesion_id", site]].reset_index(drop=True)


@cache
def invented() -> pd.DataFrame:
    """Return 33,126 invented rows of 2,056 patients: `COLUMNS` and `attribution`.

    Real are the columns and the counts of images, patients, diagnoses, and patients with a
    melanoma; all else is drawn at random, names and clinics too. A patient is of one clinic.
    """
    rng = generator("phantom", "isic2020", "table")
    images = sum(DIAGNOSES.values())
    weights = rng.gamma(0.9, size=PATIENTS)
    counts = 2 + rng.multinomial(images - 2 * PATIENTS, weights / weights.sum())
    patient = np.repeat(np.arange(PATIENTS), counts)
    with_melanoma = rng.permutation(PATIENTS)[:WITH_MELANOMA]
    first = np.concatenate([[0], np.cumsum(counts)[:-1]])[with_melanoma]  # one image of each
    others = np.flatnonzero(np.isin(patient, with_melanoma))
    more = rng.permutation(np.setdiff1d(others, first))[: DIAGNOSES["melanoma"] - WITH_MELANOMA]
    melanoma = np.zeros(images, bool)
    melanoma[np.concatenate([first, more])] = True
    rest = {name: count for name, count in DIAGNOSES.items() if name != "melanoma"}
    diagnosis = np.full(images, "melanoma", object)
    diagnosis[~melanoma] = shares(rng, rest)
    people = pd.DataFrame(
        {
            "patient_id": [f"IP_{n:07d}" for n in rng.choice(9_999_999, PATIENTS, replace=False)],
            "sex": chosen(rng, {"male": 52, "female": 48}, PATIENTS),
            "age_approx": ages(rng, np.isin(np.arange(PATIENTS), with_melanoma)),
            "attribution": chosen(rng, _SHARES, PATIENTS),
        }
    )
    table = people.iloc[patient].reset_index(drop=True)
    numbers = rng.choice(9_983_000, 2 * images, replace=False)
    table["image_name"] = [f"ISIC_{15000 + number:07d}" for number in numbers[:images]]
    table["lesion_id"] = [f"IL_{number:07d}" for number in numbers[images:]]
    sites = pd.Series(chosen(rng, _SITES, images), dtype="str")
    table["anatom_site_general_challenge"] = sites.mask(sites == "")
    table["diagnosis"] = diagnosis
    table["target"] = melanoma.astype(int)
    table["benign_malignant"] = np.where(melanoma, "malignant", "benign")
    table = table.iloc[rng.permutation(images)].reset_index(drop=True)
    return table[[*COLUMNS, "attribution"]]
