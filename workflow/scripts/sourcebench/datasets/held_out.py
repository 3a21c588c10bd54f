"""Images that no network of a task is trained on, since they are what it is tested on elsewhere."""

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd

from sourcebench.classes import names as class_names
from sourcebench.errors import SourceBenchError

TARGET = "target"
"""The role of such images in a manifest."""

COLUMN = "held_out"
"""The manifest's column of the test sets that an image is held out for, joined by '|'."""

Among = Callable[[pd.DataFrame], pd.Series]
"""Tells of each row of the metadata whether it is held out: true, false, or missing if unknown."""


def mark(metadata: pd.DataFrame, sets: Mapping[str, Among]) -> tuple[pd.DataFrame, dict[str, int]]:
    """Say which images are held out, and for what.

    Args:
        metadata: of the dataset.
        sets: by the names of their test sets.

    Returns:
        The metadata with `COLUMN`, "" for what may be trained on, without the rows of which it is
        not known for a set and which are in no other; and their number as `held_out_unknown`.

    Raises:
        SourceBenchError: a set goes by what the metadata does not have; the message names it.
    """
    names = pd.Series("", index=metadata.index)
    unknown = pd.Series(False, index=metadata.index)
    for name, among in sets.items():
        try:
            told = among(metadata)
        except SourceBenchError as error:
            raise SourceBenchError(f"shifts.{name}.{error}") from error
        names[told.fillna(False)] += f"|{name}"
        unknown |= told.isna()
    names = names.str.removeprefix("|")
    left_out = unknown & (names == "")
    marked = metadata.assign(**{COLUMN: names})[~left_out].reset_index(drop=True)
    return marked, {"held_out_unknown": int(left_out.sum())}


def apart(
    table: pd.DataFrame, sets: Mapping[str, Among], most: int | None, rng: np.random.Generator
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows that may be trained on, and those that are held out, as part of a manifest.

    Args:
        table: candidates with `label` and `COLUMN`.
        sets: as for `mark`.
        most: of each set so many images at most, of patients in random order; None for all.
        rng: draws that order.

    Returns:
        Both with all their columns; the latter with `role`.

    Raises:
        SourceBenchError: no image of a set has a label, or a class is left without images to
            train on.
    """
    held_out = table[table[COLUMN] != ""]
    chosen = pd.Series("", index=held_out.index)
    for name in sets:
        ours = held_out[COLUMN].str.split("|").map(lambda names, name=name: name in names)
        if not ours.any():
            raise SourceBenchError(
                f"shifts.{name}: none of the images that it holds out fits the task's labels and "
                "view, or they are missing on disk; loosen these, or take it out of the task's "
                "shifts."
            )
        rows = held_out[ours]
        patients = rows["patient_id"].unique()
        turn = pd.Series(rng.permutation(len(patients)), index=patients)
        order = rows["patient_id"].map(turn).sort_values(kind="stable").index
        chosen[order[:most]] += f"|{name}"
    kept = table[table[COLUMN] == ""]
    targets = held_out.assign(**{COLUMN: chosen.str.removeprefix("|")})[chosen != ""]
    trained = kept[~kept["patient_id"].isin(targets["patient_id"])]
    if lost := sorted(set(table["label"]) - set(trained["label"])):
        names = dict(enumerate(class_names(table)))
        raise SourceBenchError(
            f"the images that are held out for {', '.join(sets)}, and others of the same patients, "
            f"are all that there are of class '{names.get(lost[0], lost[0])}' (without those that "
            "are missing on disk), so that no network could learn it; loosen the shifts or the "
            "task's labels."
        )
    return kept, targets.assign(role=TARGET)
