"""Manifests: which images a task has."""

from collections.abc import Callable, Mapping
from typing import Any

import pandas as pd

from sourcebench import classes
from sourcebench.datasets import held_out, matching, sampling, split_column, tasks
from sourcebench.errors import SourceBenchError, is_or_are, number
from sourcebench.seeds import generator


def manifest(
    name: str,
    task: Mapping[str, Any],
    metadata: pd.DataFrame,
    *,
    seed: int,
    carrier: tuple[str, str, str] | None,
    available: set[str] | None,
    published: pd.DataFrame | None,
    apart: Mapping[str, held_out.Among] | None = None,
    derive: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Choose a task's images.

    Patients who have images that are held out have their others in the test set, if anywhere.

    Args:
        name: the task's name.
        task: its part of the config.
        metadata: of the task's dataset.
        seed: the study's seed.
        carrier: (column, carrying value, other value) of a confounder made by sampling.
        available: names of the images that are there, None for all of them.
        published: splits to use instead of our own draw, see `design.published.read`.
        apart: what no network is trained on, by the names of the test sets that it makes.
        derive: adds the carrier's column to the metadata, where that is made from another one.

    Returns:
        The manifest (`tasks.MANIFEST_COLUMNS`, then the metadata's and the label source's own,
        sorted by `image_id`; ids are text), and counts of what was considered and left out.

    Raises:
        SourceBenchError: too few images, an empty class, images unknown to the metadata or named
            otherwise than there, an id missing, or an attribute that the metadata doesn't have.
    """
    try:
        metadata = tasks.identified(metadata)
        if available is not None:
            matching.check(metadata["image_id"], available)
        metadata = derive(metadata) if derive else metadata
        if carrier is not None and not _has(published, carrier[0]):
            metadata = tasks.attributed(metadata, carrier)
        if published is not None:
            return _published_manifest(published, metadata, available)
        unknown: dict[str, int] = {}
        if apart:
            rows = set(metadata["image_id"])
            metadata, unknown = held_out.mark(metadata, apart)
            if available is not None:  # what is left out is known to the table, all the same
                available = available - (rows - set(metadata["image_id"]))
        table, counts = tasks.candidates(metadata, task["labels"], task.get("view"), available)
        everyone = tasks.present(metadata, task.get("view"), available)
        targets = table.head(0)
        if apart:
            rng = generator(seed, "held out", name)
            table, targets = held_out.apart(table, apart, task["samples"].get("target"), rng)
            everyone = everyone[everyone[held_out.COLUMN] == ""]
        chosen = _drawn(name, task, table, everyone, set(targets["patient_id"]), seed, carrier)
        if task["samples"].get("column"):
            counts["without_part"] = len(table) - len(chosen)
        elif sampling.are_shares(task["samples"]):
            counts["in_no_part"] = len(table) - len(chosen)
        if apart:
            both = chosen.loc[chosen["role"] == "test", "patient_id"].isin(targets["patient_id"])
            unknown |= {"target": len(targets), "test_of_target_patients": int(both.sum())}
            chosen = sampling.in_order(pd.concat([chosen, targets], ignore_index=True))
    except SourceBenchError as error:
        raise SourceBenchError(f"tasks.{name}: {error}") from error
    return chosen, {**counts, **unknown}


def in_words(name: str, chosen: int, counts: Mapping[str, int]) -> list[str]:
    """Return what is said of the choice of a task's images, a line each.

    Args:
        name: the task's name.
        chosen: how many there are.
        counts: as `manifest` returns them.
    """
    there = counts["candidates"] - counts["without_image"]
    lines = [f"{name}: {chosen:,} images chosen, of {there:,} that the task may use"]
    if missing := counts["without_image"]:
        lines.append(f"{number(missing, 'other')} would do, but {is_or_are(missing)} not on disk")
    if strays := counts["without_row"]:
        lines.append(f"{number(strays, 'image')} on disk {is_or_are(strays)} not in the metadata")
    if unknown := counts["without_findings"]:
        has = "has" if unknown == 1 else "have"
        lines.append(f"{number(unknown, 'row')} {has} no findings, and so no label")
    if rest := counts.get("in_no_part"):
        lines.append(
            f"{number(rest, 'image')} {is_or_are(rest)} in no part: shares are rounded down, and "
            "a patient who doesn't fit whole is left out"
        )
    if target := counts.get("target"):
        lines.append(
            f"{target:,} of those chosen are held out of the training for shifts, and so are "
            f"{number(counts['test_of_target_patients'], 'test image')} of the same patients; of "
            f"{number(counts['held_out_unknown'], 'other')} it is not known, and they are left out"
        )
    return lines


def _drawn(
    name: str,
    task: Mapping[str, Any],
    table: pd.DataFrame,
    everyone: pd.DataFrame,
    not_trained: set[str],
    seed: int,
    carrier: tuple[str, str, str] | None,
) -> pd.DataFrame:
    """Draw test and development set of the candidates."""
    if of_parts := task["samples"].get("column"):
        chosen = split_column.by_column(table, of_parts)
        held = chosen.loc[chosen["role"] == "dev", "patient_id"]
        if shared := sorted(set(held) & not_trained):
            raise SourceBenchError(
                f"samples.column is '{of_parts}', which has images of "
                f"{number(len(shared), 'patient')} to train or validate on (such as patient "
                f"{shared[0]}) of whom the task's shifts hold out others; say 'test' of these "
                "images, or nothing."
            )
        return chosen
    if "positive" not in task["samples"] and not task["samples"].get("balanced"):
        # Without the task's name: all tasks on a dataset share one division.
        rng = generator(seed, "division", task["dataset"])
        return sampling.divide(table, everyone, task["samples"], rng, not_trained)
    confounded = classes.number(table, named) if (named := task.get("confounded")) else 1
    count = 1 + int(table["label"].max())
    wanted = sampling.quotas(task["samples"], carrier, confounded, count)
    column = carrier[0] if carrier else None
    rng = generator(seed, "manifest", name)
    return sampling.select(table, wanted, column, rng, not_trained)


def _has(published: pd.DataFrame | None, column: str) -> bool:
    return published is not None and column in published and bool(published[column].notna().any())


def _published_manifest(
    published: pd.DataFrame, metadata: pd.DataFrame, available: set[str] | None
) -> tuple[pd.DataFrame, dict[str, int]]:
    roles = published.assign(role=published["part"].where(published["part"] == "test", "dev"))
    unique = roles.drop_duplicates(["image_id", "role"])
    twice = unique[unique["image_id"].duplicated()]
    if len(twice):
        raise SourceBenchError(
            f"{number(len(twice), 'image')} of the published splits {is_or_are(len(twice))} in the "
            f"development and the test set (such as {twice['image_id'].iloc[0]})."
        )
    table = metadata.set_index("image_id")
    unknown = unique[~unique["image_id"].isin(table.index)]
    if len(unknown):
        raise SourceBenchError(
            f"{number(len(unknown), 'image')} of the published splits {is_or_are(len(unknown))} "
            f"not in the metadata (such as {unknown['image_id'].iloc[0]})."
        )
    rows = unique[["image_id", "patient_id", "label", "role"]].join(
        table.drop(columns="patient_id"), on="image_id"
    )
    counts = {"candidates": len(rows), "without_image": 0, "without_row": 0, "without_findings": 0}
    if available is not None:
        there = rows["image_id"].isin(available)
        gone = counts["without_image"] = int((~there).sum())
        wanted = {f"{role}{label}" for role in ("dev", "test") for label in _classes(rows)}
        rows = rows[there]
        if set(rows["role"] + rows["label"].astype(str)) != wanted:
            raise SourceBenchError(
                f"{number(gone, 'image')} of the published splits {is_or_are(gone)} "
                "missing on disk, and a class is empty without them."
            )
    return sampling.in_order(rows), counts


def _classes(rows: pd.DataFrame) -> range:
    """Return the labels that there have to be: those of two classes, or of more."""
    return range(1 + max([1, *rows["label"]]))
