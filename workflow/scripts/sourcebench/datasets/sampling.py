"""Which of a task's images are the test set and which the development set."""

from collections.abc import Collection, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sourcebench.classes import names as class_names
from sourcebench.datasets import partition
from sourcebench.datasets.tasks import MANIFEST_COLUMNS
from sourcebench.errors import SourceBenchError, number

SHOWN = 8
"""So many kinds of image of which there are too few are named."""


def divide(
    labelled: pd.DataFrame,
    everyone: pd.DataFrame,
    samples: Mapping[str, float],
    rng: np.random.Generator,
    not_trained: Collection[str] = (),
) -> pd.DataFrame:
    """Divide a dataset as it is, patient by patient, whatever its labels.

    Patients who may not be trained on come into the test set first, as many as there is room for.

    Args:
        labelled: candidates with `label`, as `candidates` returns them.
        everyone: all images that are divided, labelled or not, so that several tasks on one
            dataset share the division.
        samples: `test` and `dev`: images, or a share of everyone, under 1.
        rng: draws the order of patients.
        not_trained: patients who may be in the test set alone.

    Returns:
        The manifest, as `select` returns it.

    Raises:
        SourceBenchError: there are fewer images, or a class that has a name has none in a part.
    """
    test, dev = (
        int(size * len(everyone)) if size < 1 else int(size)
        for size in (samples["test"], samples["dev"])
    )
    testing = everyone["patient_id"].isin(not_trained)
    patients, most = everyone["patient_id"], min(int(testing.sum()), test)
    _check_sizes(samples, test, dev, testing, most)
    first = [partition.split(patients[testing], {"test": most}, rng)] if testing.any() else []
    taken = sum(int((each == "test").sum()) for each in first)
    sizes = {"test": test - taken, "dev": dev}
    parts = pd.concat([*first, partition.split(patients[~testing], sizes, rng)])
    role_of = parts.reindex(everyone.index).set_axis(everyone["image_id"])
    chosen = labelled.assign(role=labelled["image_id"].map(role_of))
    chosen = chosen[chosen["role"].notna()]
    for role in ("test", "dev"):
        here = set(chosen.loc[chosen["role"] == role, "label"])
        names = class_names(labelled)
        if missing := [name for label, name in enumerate(names) if label not in here]:
            more = f", nor have {len(missing) - 1} others" if len(missing) > 1 else ""
            raise SourceBenchError(
                f"the class '{missing[0]}' has no image in the {role} set{more}: patients are "
                f"drawn whatever their class. Raise samples.{role}, draw as many of "
                "each by 'balanced: true', or name fewer classes."
            )
    return in_order(chosen)


def are_shares(samples: Mapping[str, Any]) -> bool:
    """Tell whether a task's samples are shares of its dataset, as `divide` takes them."""
    return any(samples.get(part, 1) < 1 for part in ("test", "dev"))


def _check_sizes(
    samples: Mapping[str, float], test: int, dev: int, testing: pd.Series, first: int
) -> None:
    """Refuse parts that are larger than what there is to divide.

    Args:
        samples: as the user wrote them.
        test: images that they make.
        dev: likewise.
        testing: of each image, whether its patient may be in the test set alone.
        first: as many of these are put into the test set.
    """
    n, free = len(testing), int((~testing).sum())
    asked = f"samples asks for {samples['test']:g} to test on and {samples['dev']:g} to develop on"
    if are_shares(samples):
        asked += f" (with shares as images: {test:,} and {dev:,})"
    if test + dev > n:
        raise SourceBenchError(
            f"{asked}, {number(test + dev, 'image')} in all, but there are {n:,} that have the "
            "view and a file and are not held out; lower one of them."
        )
    if test - first + dev > free:
        raise SourceBenchError(
            f"{asked}. Of the {n:,} that there are, {n - free:,} are of patients of whom a shift "
            f"of the task holds out others; they can be in the test set alone, and {free:,} "
            f"remain for the other {test - first + dev:,}: lower samples.dev."
        )


def in_order(chosen: pd.DataFrame) -> pd.DataFrame:
    """Return a manifest's rows by `image_id`, its columns as every manifest has them."""
    further = [column for column in chosen if column not in MANIFEST_COLUMNS]
    return chosen[MANIFEST_COLUMNS + further].sort_values("image_id", ignore_index=True)


def quotas(
    samples: Mapping[str, Any],
    carrier: tuple[str, str, str] | None = None,
    confounded: int = 1,
    classes: int = 2,
) -> pd.DataFrame:
    """Return how many images of each kind the test and the development set need.

    Args:
        samples: `test` and `dev` (images), and `positive` (share of the positive of two classes) or
            `balanced` (all classes have as many, to within one image).
        carrier: for a confounder made by sampling: (column, carrying value, other value), such
            as ('sex', 'F', 'M'). The development set then needs its positives with *and* without
            the attribute, since p_art chooses between them, and its negatives without; the test
            set needs both of both (Source Matters, Table 1 and section 2.2).
        confounded: the class that has the attribute in training, of two the positive one.
        classes: how many there are.

    Returns:
        `role, label, value, n`; `value` is the attribute's value, or missing for any.
    """
    rows: list[tuple[str, int, str | None, int]] = []
    for role in ("test", "dev"):
        for label, n in _sizes(samples, samples[role], classes):
            if carrier is None:
                rows.append((role, label, None, n))
                continue
            _, carrying, other = carrier
            rows.append((role, label, other, n))
            if label == confounded or role == "test":
                rows.append((role, label, carrying, n))
    return pd.DataFrame(rows, columns=["role", "label", "value", "n"])


def _sizes(samples: Mapping[str, Any], images: int, classes: int) -> list[tuple[int, int]]:
    """Return each label with how many of the images it has."""
    if samples.get("balanced"):
        return [(label, len(range(label, images, classes))) for label in range(classes)]
    positives = round(images * samples["positive"])
    return [(1, positives), (0, images - positives)]


def select(
    table: pd.DataFrame,
    wanted: pd.DataFrame,
    column: str | None,
    rng: np.random.Generator,
    not_trained: Collection[str] = (),
) -> pd.DataFrame:
    """Draw the images of a task; no patient is in both the test and the development set.

    Images are drawn in random order, one of each patient before a second of any; the first image
    taken of a patient decides where all its others belong. A first image goes where the larger
    share is still missing, so that test and development set grow side by side. Of images in pairs
    the positive is drawn, and its partner comes along.

    Args:
        table: candidates with `label`, as `candidates` returns them.
        wanted: what `quotas` returns.
        column: the attribute that `wanted.value` speaks of, if any.
        rng: draws the order of patients and images.
        not_trained: patients who may be in the test set alone.

    Returns:
        The manifest (`MANIFEST_COLUMNS`, then the metadata's and the label source's own), sorted
        by `image_id`.

    Raises:
        SourceBenchError: there are not enough images of one kind, or classes that are not wanted.
    """
    if (classes := 1 + table["label"].max()) > 1 + wanted["label"].max():
        raise SourceBenchError(
            f"samples.positive is the share of one of two classes, but the labels have {classes}; "
            "leave it out, and the dataset is divided as it is, or draw as many of each by "
            "'balanced: true'."
        )
    if "pair" in table:
        return _select_pairs(table, wanted, rng, not_trained)
    roles = _draw(table, wanted, column, rng, not_trained)
    return in_order(table.loc[roles.index].assign(role=roles))


def _select_pairs(
    table: pd.DataFrame,
    wanted: pd.DataFrame,
    rng: np.random.Generator,
    not_trained: Collection[str],
) -> pd.DataFrame:
    numbers = wanted.pivot_table(index="role", columns="label", values="n", aggfunc="sum")
    if not (numbers[0] == numbers[1]).all():
        raise SourceBenchError(
            "These labels come in pairs of a positive and a negative image, so the task's samples "
            "must have 'positive: 0.5' and even numbers."
        )
    positives = table[table["label"] == 1]
    roles = _draw(positives, wanted[wanted["label"] == 1], None, rng, not_trained)
    role_of = roles.set_axis(positives.loc[roles.index, "pair"])
    chosen = table[table["pair"].isin(role_of.index)]
    return in_order(chosen.assign(role=chosen["pair"].map(role_of)))


def _draw(
    table: pd.DataFrame,
    wanted: pd.DataFrame,
    column: str | None,
    rng: np.random.Generator,
    not_trained: Collection[str],
) -> pd.Series:
    """Return the role of every drawn row, by its index."""
    shuffled = table.iloc[rng.permutation(len(table))]
    turn = shuffled.groupby("patient_id").cumcount()
    shuffled = shuffled.loc[turn.sort_values(kind="stable").index]
    values = shuffled[column] if column else [None] * len(shuffled)
    kinds = wanted.assign(value=wanted["value"] if column else None)
    needed: dict[tuple[str, int, str | None], int] = {
        (role, label, value): n
        for role, label, value, n in kinds[["role", "label", "value", "n"]].values.tolist()
        if n
    }
    missing = dict(needed)
    home: dict[Any, str] = dict.fromkeys(not_trained, "test")
    picked: dict[int, str] = {}
    for index, patient, label, value in zip(
        shuffled.index, shuffled["patient_id"], shuffled["label"], values, strict=True
    ):
        shares = {
            role: missing[role, label, value] / needed[role, label, value]
            for role in ("test", "dev")
            if (role, label, value) in missing
        }
        role = home.get(patient) or max(shares, key=lambda role: shares[role], default="test")
        if shares.get(role):
            missing[role, label, value] -= 1
            home[patient] = picked[index] = role
    short = {key: n for key, n in missing.items() if n}
    if short:
        names = [f"'{name}'" for name in class_names(table)] or ["negative", "positive"]
        lines = ", ".join(
            f"{number(n, f'more {names[label]} {role} image')}"
            + (f" with {column} {value}" if value else "")
            for (role, label, value), n in list(short.items())[:SHOWN]
        ) + (f" (and {len(short) - SHOWN} other kinds)" if len(short) > SHOWN else "")
        raise SourceBenchError(
            f"There are too few images for the task: {lines} would be needed. "
            "Lower the task's samples, loosen its labels or view, or provide more images."
        )
    return pd.Series(picked)
