"""derm7pt's table `meta/meta.csv`: its columns, and invented rows for phantoms.

Its columns and words are those of Kawahara et al. (2019, IEEE J. Biomed. Health Inform. 23:538).
"""

from functools import cache

import numpy as np
import pandas as pd

from sourcebench.datasets.base import METADATA_COLUMNS
from sourcebench.datasets.skin_shots import chosen, shares
from sourcebench.seeds import generator

COLUMNS = (
    "case_num", "diagnosis", "seven_point_score", "pigment_network", "streaks", "pigmentation",
    "regression_structures", "dots_and_globules", "blue_whitish_veil", "vascular_structures",
    "level_of_diagnostic_difficulty", "elevation", "location", "sex", "management", "clinic",
    "derm", "case_id", "notes",
)  # fmt: skip
KEPT = COLUMNS[2:13]
"""Columns that go on to the manifest under their own names."""

DIAGNOSES = {
    "clark nevus": 399, "melanoma (less than 0.76 mm)": 102, "reed or spitz nevus": 79,
    "melanoma (in situ)": 64, "melanoma (0.76 to 1.5 mm)": 53, "seborrheic keratosis": 45,
    "basal cell carcinoma": 42, "dermal nevus": 33, "vascular lesion": 29, "blue nevus": 28,
    "melanoma (more than 1.5 mm)": 28, "lentigo": 24, "dermatofibroma": 20, "congenital nevus": 17,
    "melanosis": 16, "combined nevus": 13, "miscellaneous": 8, "recurrent nevus": 6,
    "melanoma metastasis": 4, "melanoma": 1,
}  # fmt: skip
"""Diagnosis → its cases, 1,011 in all."""

_POINTS: dict[str, tuple[int, dict[str, float], dict[str, float]]] = {
    "pigment_network": (2, {"absent": 35, "typical": 45, "atypical": 20}, {"atypical": 60}),
    "streaks": (1, {"absent": 70, "regular": 13, "irregular": 17}, {"irregular": 45}),
    "pigmentation": (
        1,
        {"absent": 60, "diffuse regular": 11, "localized regular": 3, "diffuse irregular": 18,
         "localized irregular": 8},
        {"diffuse irregular": 40, "localized irregular": 15},
    ),
    "regression_structures": (
        1,
        {"absent": 85, "blue areas": 9, "white areas": 3, "combinations": 3},
        {"blue areas": 20, "combinations": 15},
    ),
    "dots_and_globules": (1, {"absent": 24, "regular": 36, "irregular": 40}, {"irregular": 70}),
    "blue_whitish_veil": (2, {"absent": 90, "present": 10}, {"present": 55}),
    "vascular_structures": (
        2,
        {"absent": 84, "arborizing": 3, "comma": 3, "hairpin": 2, "within regression": 3,
         "wreath": 1, "dotted": 3, "linear irregular": 1},
        {"dotted": 8, "linear irregular": 6},
    ),
}  # fmt: skip
"""Criterion → its points (Argenziano et al. 1998), the chances of its values, and what is added to
these for melanomas."""

_SCORED = ("atypical", "irregular", "areas", "combinations", "present", "dotted")
_OTHERS: dict[str, dict[str, float]] = {
    "level_of_diagnostic_difficulty": {"low": 35, "medium": 40, "high": 25},
    "elevation": {"flat": 35, "palpable": 50, "nodular": 15},
    "location": {
        "back": 30, "lower limbs": 24, "abdomen": 13, "upper limbs": 12, "chest": 9,
        "head neck": 5, "acral": 3, "buttocks": 3, "genital areas": 1,
    },
    "sex": {"female": 52, "male": 48},
    "management": {"excision": 70, "clinical follow up": 15, "no further examination": 15},
}  # fmt: skip


def arranged(table: pd.DataFrame) -> pd.DataFrame:
    """Return derm7pt's table in the form of every dataset, see `Dataset.metadata`.

    An image is a case's dermoscopic one (`derm`, 'NEL/Nel026.jpg'), not the photograph beside it;
    a patient is a case; ages are not known. `findings` is the diagnosis.
    """
    found = pd.DataFrame(
        {
            "image_id": table["derm"],
            "patient_id": table["case_num"].astype("str"),
            "sex": table["sex"].map({"male": "M", "female": "F"}),
            "age": np.nan,
            "view": pd.Series(pd.NA, index=table.index, dtype="str"),
            "findings": table["diagnosis"],
            "domain": "derm7pt",
            **{name: table[name] for name in KEPT},
        }
    )
    return found[[*METADATA_COLUMNS, "domain", *KEPT]].reset_index(drop=True)


@cache
def invented() -> pd.DataFrame:
    """Return 1,011 invented cases.

    Real are the columns, their words, and the number of cases of each diagnosis; all else is drawn
    at random, names of files too. Criteria go with melanoma somewhat, and the phantoms show others
    than those of their row: they are drawn by the diagnosis alone.
    """
    rng = generator("phantom", "derm7pt", "table")
    count = sum(DIAGNOSES.values())
    table = pd.DataFrame({"case_num": range(1, count + 1), "diagnosis": shares(rng, DIAGNOSES)})
    melanoma = table["diagnosis"].str.startswith("melanoma").to_numpy()
    score = np.zeros(count, int)
    for name, (points, chances, more) in _POINTS.items():
        usual = chosen(rng, chances, count)
        malign = chosen(
            rng, {key: value + more.get(key, 0) for key, value in chances.items()}, count
        )
        table[name] = np.where(melanoma, malign, usual)
        score += points * table[name].str.contains("|".join(_SCORED)).to_numpy()
    table["seven_point_score"] = [str(points) for points in score]
    for name, chances in _OTHERS.items():
        table[name] = chosen(rng, chances, count)
    folders = ["".join(letters) for letters in rng.choice(list("ABCDEFGHIN"), (12, 2))]
    folder = [f"{each}L" for each in rng.choice(sorted(set(folders)), count)]
    numbers = 2 * rng.permutation(2000)[:count]
    names = list(zip(folder, numbers, strict=True))
    table["derm"] = [f"{place}/{place.capitalize()}{number:03d}.jpg" for place, number in names]
    table["clinic"] = [f"{place}/{place}{number + 1:03d}.jpg" for place, number in names]
    table["case_id"] = ""
    table["notes"] = ""
    return table[list(COLUMNS)]
