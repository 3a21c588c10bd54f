"""Tasks: which images, with which label, are the test set and the development set."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pandas as pd

from sourcebench.datasets import tables
from sourcebench.errors import SourceBenchError
from sourcebench.registry import Registry

Labeller = Callable[[pd.DataFrame, Mapping[str, Any]], pd.Series]
LABELS: Registry[Labeller] = Registry("label source")

MANIFEST_COLUMNS = [
    "image_id", "patient_id", "label", "role", "sex", "age", "view", "findings",
]  # fmt: skip


@LABELS.register("metadata")
def metadata_labels(table: pd.DataFrame, spec: Mapping[str, Any]) -> pd.Series:
    """Label by the findings that NIH mined from the reports: 1, 0, or missing for neither.

    `spec`: `positive` and `negative` name findings; an image with both is positive.
    """
    findings = table["findings"].str.split("|")
    known = set(findings.explode())
    for key in ("positive", "negative"):
        if spec[key] not in known:
            raise SourceBenchError(
                f"labels.{key} is '{spec[key]}', which is no finding of the metadata; "
                f"there are: {', '.join(sorted(known))}."
            )
    label = pd.Series(np.nan, index=table.index)
    label[findings.map(lambda names: spec["negative"] in names)] = 0
    label[findings.map(lambda names: spec["positive"] in names)] = 1
    return label


@LABELS.register("expert")
def expert_labels(table: pd.DataFrame, spec: Mapping[str, Any]) -> pd.Series:
    """Label by what radiologists saw (YES 1, NO 0), missing where they did not look.

    `spec`: `positive` names one of their four findings; `set` keeps their test or val set.
    """
    experts = tables.nih_expert_labels()
    if spec["positive"] not in tables.EXPERT_FINDINGS:
        raise SourceBenchError(
            f"labels.positive is '{spec['positive']}', which the experts did not label; "
            f"they labelled: {', '.join(tables.EXPERT_FINDINGS)}."
        )
    if spec.get("set"):
        experts = experts[experts["set"] == spec["set"]]
    answers = experts.set_index("image_id")[spec["positive"]]
    return table["image_id"].map(answers).map({"YES": 1.0, "NO": 0.0})


def candidates(
    table: pd.DataFrame,
    labels: Mapping[str, Any],
    view: str | None,
    available: set[str] | None = None,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Return every image that a task may use, and the counts of what was left out.

    Args:
        table: the dataset's metadata.
        labels: the task's `labels` in the config; `from` names the label source.
        view: PA or AP; None for both.
        available: names of the images that are there; None means all of them are.

    Returns:
        The metadata with a `label` column (0|1), and counts: `candidates` (rows with a label and
        the view), `without_image` (those of them whose image is not available) and
        `without_row` (available images that the metadata does not know).

    Raises:
        SourceBenchError: a class is empty.
    """
    chosen = table.assign(label=LABELS.get(labels["from"])(table, labels))
    chosen = chosen[chosen["label"].notna()].astype({"label": int})
    if view is not None:
        chosen = chosen[chosen["view"] == view]
    counts = {"candidates": len(chosen), "without_image": 0, "without_row": 0}
    if available is not None:
        there = chosen["image_id"].isin(available)
        counts["without_image"] = int((~there).sum())
        counts["without_row"] = len(available - set(table["image_id"]))
        chosen = chosen[there]
    for label, name in ((1, "positive"), (0, "negative")):
        if not (chosen["label"] == label).any():
            raise SourceBenchError(
                f"No {name} image is left: labels {dict(labels)}, view {view or 'any'}, "
                f"{counts['candidates']} images in the metadata fit, and "
                f"{counts['without_image']} of these are missing on disk. "
                "Loosen the task's labels or view, or provide more images."
            )
    return chosen.reset_index(drop=True), counts


def quotas(samples: Mapping[str, Any], carrier: tuple[str, str, str] | None = None) -> pd.DataFrame:
    """Return how many images of each kind the test and the development set need.

    Args:
        samples: `test` and `dev` (images), `positive` (share of the positive class).
        carrier: for a confounder made by sampling: (column, carrying value, other value), such
            as ('sex', 'F', 'M'). The development set then needs its positives with *and* without
            the attribute, since p_art chooses between them, and its negatives without; the test
            set needs both of both (Source Matters, Table 1 and section 2.2).

    Returns:
        `role, label, value, n`; `value` is the attribute's value, or missing for any.
    """
    rows: list[tuple[str, int, str | None, int]] = []
    for role in ("test", "dev"):
        positives = round(samples[role] * samples["positive"])
        for label, n in ((1, positives), (0, samples[role] - positives)):
            if carrier is None:
                rows.append((role, label, None, n))
                continue
            _, carrying, other = carrier
            rows.append((role, label, other, n))
            if label == 1 or role == "test":
                rows.append((role, label, carrying, n))
    return pd.DataFrame(rows, columns=["role", "label", "value", "n"])


def select(
    table: pd.DataFrame, wanted: pd.DataFrame, column: str | None, rng: np.random.Generator
) -> pd.DataFrame:
    """Draw the images of a task; no patient is in both the test and the development set.

    Images are drawn in random order, one of each patient before a second of any; the first image
    taken of a patient decides where all its others belong.

    Args:
        table: candidates with `label`, as `candidates` returns them.
        wanted: what `quotas` returns.
        column: the attribute that `wanted.value` speaks of, if any.
        rng: draws the order of patients and images.

    Returns:
        The manifest (`MANIFEST_COLUMNS`), sorted by `image_id`.

    Raises:
        SourceBenchError: there are not enough images of one kind.
    """
    shuffled = table.iloc[rng.permutation(len(table))]
    turn = shuffled.groupby("patient_id").cumcount()
    shuffled = shuffled.loc[turn.sort_values(kind="stable").index]
    values = shuffled[column] if column else [None] * len(shuffled)
    kinds = wanted.assign(value=wanted["value"] if column else None)
    missing: dict[tuple[str, int, str | None], int] = {
        (role, label, value): n
        for role, label, value, n in kinds[["role", "label", "value", "n"]].values.tolist()
    }
    home: dict[int, str] = {}
    picked: dict[int, str] = {}
    for index, patient, label, value in zip(
        shuffled.index, shuffled["patient_id"], shuffled["label"], values, strict=True
    ):
        for role in (home[patient],) if patient in home else ("test", "dev"):
            if missing.get((role, label, value), 0):
                missing[role, label, value] -= 1
                home[patient] = picked[index] = role
                break
    short = {key: n for key, n in missing.items() if n}
    if short:
        lines = ", ".join(
            f"{n} more {'positive' if label else 'negative'} {role} images"
            + (f" with {column} {value}" if value else "")
            for (role, label, value), n in short.items()
        )
        raise SourceBenchError(
            f"There are too few images for the task: {lines} would be needed. "
            "Lower the task's samples, loosen its labels or view, or provide more images."
        )
    manifest = table.loc[list(picked)].assign(role=list(picked.values()))
    return manifest[MANIFEST_COLUMNS].sort_values("image_id", ignore_index=True)
