"""The published training table of CheXpert (Irvin et al. 2019), as `torchxrayvision` carries it.

It is `train.csv` of CheXpert-v1.0: 223,414 radiographs of 187,641 studies of 64,540 patients, with
what a labeller read out of the reports. The counts of Irvin et al.'s Table 1, and the ratios that
*Rethink Transfer Learning* prints in its section 4, are those of this table's studies. The official
validation set (234 images), labelled by radiologists, is not in it.
"""

from functools import cache

import pandas as pd

from sourcebench.retrieval.packaged import packaged

NO_FINDING = "No Finding"
PATHOLOGIES = (
    "Enlarged Cardiomediastinum", "Cardiomegaly", "Lung Opacity", "Lung Lesion", "Edema",
    "Consolidation", "Pneumonia", "Atelectasis", "Pneumothorax", "Pleural Effusion",
    "Pleural Other", "Fracture",
)  # fmt: skip
FINDINGS = (NO_FINDING, *PATHOLOGIES, "Support Devices")
"""The table's 14 observations; all but the last are the 13 tasks of *Rethink Transfer Learning*."""

PRESENT, ABSENT, UNCERTAIN = 1, 0, -1


@cache
def published() -> pd.DataFrame:
    """Return the table: one row per radiograph, all 223,414 of them.

    Columns: `image_id` (the path without its first folder,
    'train/patient00001/study1/view1_frontal.jpg'), `patient_id` (text: the number without zeros),
    `sex` (M|F, missing for one image), `age` (years, 90 for any above), `view` (AP|PA|lateral; LL
    or RL for 17 images), and for each of `FINDINGS` 1 (present), 0 (absent), −1 (uncertain) or
    missing (not mentioned). All images of a study share its labels.
    """
    table = pd.read_csv(packaged("chexpert_train.csv.gz"))
    path = table["Path"].str.partition("/")[2]
    return pd.DataFrame(
        {
            "image_id": path,
            "patient_id": path.str.extract(r"patient0*(\d+)/")[0],
            "sex": table["Sex"].map({"Male": "M", "Female": "F"}),
            "age": table["Age"],
            "view": table["AP/PA"].fillna("lateral"),
            **{finding: table[finding] for finding in FINDINGS},
        }
    )


@cache
def observations() -> pd.DataFrame:
    """Return the columns `FINDINGS` of the table, indexed by `image_id`."""
    return published().set_index("image_id")[list(FINDINGS)]


@cache
def metadata() -> pd.DataFrame:
    """Return the table in the form of every dataset, see `Dataset.metadata`.

    `findings` are those that are present, joined by '|'; none is where nothing is certain.
    """
    table = published()
    findings = pd.Series("", index=table.index)
    for finding in FINDINGS:
        findings += (table[finding] == PRESENT).map({True: f"|{finding}", False: ""})
    return table[["image_id", "patient_id", "sex", "age", "view"]].assign(
        findings=findings.str.removeprefix("|")
    )
