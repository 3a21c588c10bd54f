"""What a design must be before anything is trained on it."""

import pandas as pd

from sourcebench.design.rows import Design, fold_columns
from sourcebench.errors import SourceBenchError, is_or_are, number


def check(made: Design, name: str) -> None:
    """Refuse a design in which a patient is on two sides.

    Raises:
        SourceBenchError: a patient is in development and any test set, or in train and val of a
            fold.
    """
    images = made.images
    development = pd.Index(images.loc[images["role"] == "dev", "patient_id"].unique())
    tested = [images.loc[images["role"] == "test", "patient_id"], made.tests["patient_id"]]
    for fold in [None, *fold_columns(images)]:
        if fold is None:
            shared = development.intersection(pd.concat(tested).unique(), sort=True)
            where = "the development and the test set"
        else:
            in_fold = images[images[fold].isin(["train", "val"])]
            sides = in_fold.groupby("patient_id")[fold].nunique()
            shared, where = sides[sides > 1].index, f"train and val of {fold}"
        if len(shared):
            raise SourceBenchError(
                f"{name}: {number(len(shared), 'patient')} {is_or_are(len(shared))} in both "
                f"{where} (such as patient {shared[0]}), so the test would leak. Mend the "
                "splits; to use published ones all the same, add 'leaks: accept' to their entry of "
                "splits."
            )
