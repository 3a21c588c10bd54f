"""The published tables of NIH ChestX-ray14, as `torchxrayvision` carries them."""

from functools import cache

import pandas as pd

from sourcebench.retrieval.packaged import packaged

COLUMNS = {
    "Image Index": "image_id",
    "Patient ID": "patient_id",
    "Patient Gender": "sex",
    "Patient Age": "age",
    "View Position": "view",
    "Finding Labels": "findings",
}
NO_FINDING = "No Finding"
EXPERT_FINDINGS = ("Fracture", "Pneumothorax", "Airspace opacity", "Nodule or mass")


@cache
def metadata() -> pd.DataFrame:
    """Return one row per image of NIH ChestX-ray14 (Wang et al. 2017), all 112,120 of them.

    Columns: `image_id` (file name), `patient_id` (text), `sex` (M|F), `age` (years), `view`
    (PA|AP), `findings` (names joined by '|', or 'No Finding').
    """
    table = pd.read_csv(
        packaged("Data_Entry_2017_v2020.csv.gz"), usecols=list(COLUMNS), dtype={"Patient ID": "str"}
    )
    return table.rename(columns=COLUMNS)[list(COLUMNS.values())]


@cache
def expert_labels() -> pd.DataFrame:
    """Return the labels that radiologists gave 4,376 of the images (Majkowska et al. 2020).

    Columns: `image_id`, `set` (test|val) and one of YES|NO for each of `EXPERT_FINDINGS`.
    """
    table = pd.read_csv(
        packaged("google2019_nih-chest-xray-labels.csv.gz"),
        usecols=["Image Index", "Set Id", *EXPERT_FINDINGS],
    )
    return table.rename(columns={"Image Index": "image_id", "Set Id": "set"})


@cache
def boxes() -> pd.DataFrame:
    """Return the published bounding boxes: `image_id, finding, x, y, w, h` (px of 1024²)."""
    table = pd.read_csv(packaged("BBox_List_2017.csv.gz")).iloc[:, :6]
    table.columns = pd.Index(["image_id", "finding", "x", "y", "w", "h"])
    return table.replace({"finding": {"Infiltrate": "Infiltration"}})


def merged_findings(image_ids: pd.Series) -> pd.Series:
    """Return what is to be seen in each image: the metadata, corrected by the experts.

    Where radiologists looked for 'Nodule or mass' and for pneumothorax, their word replaces the
    one mined from the reports.

    Args:
        image_ids: file names.

    Returns:
        Names joined by '|' in the order of `image_ids`; 'No Finding' where nothing is left.
    """
    findings = metadata().set_index("image_id")["findings"].reindex(image_ids)
    experts = expert_labels().set_index("image_id").reindex(image_ids)
    merged = []
    for text, mass, pneumothorax in zip(
        findings, experts["Nodule or mass"], experts["Pneumothorax"], strict=True
    ):
        names = {name for name in str(text).split("|") if name != NO_FINDING}
        if mass == "NO":
            names -= {"Mass", "Nodule"}
        elif mass == "YES" and not names & {"Mass", "Nodule"}:
            names |= {"Mass"}
        if pneumothorax == "NO":
            names -= {"Pneumothorax"}
        elif pneumothorax == "YES":
            names |= {"Pneumothorax"}
        merged.append("|".join(sorted(names)) or NO_FINDING)
    return pd.Series(merged, index=image_ids.index)
