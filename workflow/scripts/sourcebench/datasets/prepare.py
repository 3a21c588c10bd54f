"""Manifests and arrays: the stages between the original images and everything after them."""

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pandas as pd

from sourcebench import files, imaging
from sourcebench.datasets import matching, sampling, tasks
from sourcebench.errors import SourceBenchError
from sourcebench.imaging import Image
from sourcebench.seeds import generator

Reader = Callable[[Path], tuple[Image, tuple[str, ...]]]


def manifest(
    name: str,
    task: Mapping[str, Any],
    metadata: pd.DataFrame,
    *,
    seed: int,
    carrier: tuple[str, str, str] | None,
    available: set[str] | None,
    published: pd.DataFrame | None,
    derive: Callable[[pd.DataFrame], pd.DataFrame] | None = None,
) -> tuple[pd.DataFrame, dict[str, int]]:
    """Choose a task's images.

    Args:
        name: the task's name.
        task: its part of the config.
        metadata: of the task's dataset.
        seed: the study's seed.
        carrier: (column, carrying value, other value) of a confounder made by sampling.
        available: names of the images that are there, None for all of them.
        published: splits to use instead of our own draw, see `design.published.read`.
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
        table, counts = tasks.candidates(metadata, task["labels"], task.get("view"), available)
        if column := task["samples"].get("column"):
            chosen = sampling.by_column(table, column)
            return chosen, {**counts, "without_part": len(table) - len(chosen)}
        if "positive" not in task["samples"]:
            everyone = tasks.present(metadata, task.get("view"), available)
            # Without the task's name: all tasks on a dataset share one division.
            rng = generator(seed, "division", task["dataset"])
            return sampling.divide(table, everyone, task["samples"], rng), counts
        wanted = sampling.quotas(task["samples"], carrier)
        column = carrier[0] if carrier else None
        chosen = sampling.select(table, wanted, column, generator(seed, "manifest", name))
    except SourceBenchError as error:
        raise SourceBenchError(f"tasks.{name}: {error}") from error
    return chosen, counts


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
            f"{len(twice)} images of the published splits are in the development "
            f"and the test set (such as {twice['image_id'].iloc[0]})."
        )
    table = metadata.set_index("image_id")
    unknown = unique[~unique["image_id"].isin(table.index)]
    if len(unknown):
        raise SourceBenchError(
            f"{len(unknown)} images of the published splits are not in the metadata "
            f"(such as {unknown['image_id'].iloc[0]})."
        )
    rows = unique[["image_id", "patient_id", "label", "role"]].join(
        table.drop(columns="patient_id"), on="image_id"
    )
    counts = {"candidates": len(rows), "without_image": 0, "without_row": 0, "without_findings": 0}
    if available is not None:
        there = rows["image_id"].isin(available)
        counts["without_image"] = int((~there).sum())
        wanted = {f"{role}{label}" for role in ("dev", "test") for label in _classes(rows)}
        rows = rows[there]
        if set(rows["role"] + rows["label"].astype(str)) != wanted:
            raise SourceBenchError(
                f"{counts['without_image']} images of the published splits are "
                "missing on disk, and a class is empty without them."
            )
    return sampling.in_order(rows), counts


def _classes(rows: pd.DataFrame) -> range:
    """Return the labels that there have to be: those of two classes, or of more."""
    return range(1 + max([1, *rows["label"]]))


def write_arrays(
    samples: pd.DataFrame,
    paths: Mapping[str, str],
    read: Reader,
    *,
    size: int,
    method: str,
    images: Path,
    native: Path,
    keep_native: bool,
    threads: int = 1,
) -> dict[str, list[str]]:
    """Decode every image once, and write them at the task's input size and at their own.

    Args:
        samples: the manifest; row i becomes image i.
        paths: image_id → path of the original.
        read: reads an original, see `Dataset.read`.
        size: the task's input size in px.
        method: how to resize, see `imaging.resize`.
        images: becomes N×size×size, or N×size×size×C where images have several channels, uint8.
        native: becomes N×H×W or N×H×W×C, uint8, the originals' size, for the confounders; an array
            of no images unless `keep_native`.
        keep_native: whether a confounder will read `native`.
        threads: decoding threads.

    Returns:
        What was odd about originals, and the `image_id` of those it was odd about.

    Raises:
        SourceBenchError: an image is missing, damaged, of another kind, size or number of
            channels.
    """
    originals = [Path(paths[image_id]) for image_id in samples["image_id"]]
    shape = read(originals[0])[0].shape
    n = len(originals)
    odd: dict[str, list[str]] = {}

    with (
        files.new_array(images, (n, size, size, *shape[2:])) as small,
        files.new_array(native, (n if keep_native else 0, *shape)) as large,
    ):

        def decode(row: int) -> tuple[str, ...]:
            image, remarks = read(originals[row])
            _require_alike(originals[row], image.shape, originals[0], shape)
            small[row] = imaging.resize(image, size, method)
            if keep_native:
                large[row] = image
            return remarks

        with ThreadPoolExecutor(threads) as pool:
            for row, remarks in enumerate(pool.map(decode, range(n))):
                for remark in remarks:
                    odd.setdefault(remark, []).append(samples["image_id"].iloc[row])
    return odd


def _require_alike(
    path: Path, shape: tuple[int, ...], first: Path, wanted: tuple[int, ...]
) -> None:
    """Refuse an image of another shape than the first one's."""
    if shape[:2] != wanted[:2]:
        raise SourceBenchError(
            f"{path} is {shape[1]}×{shape[0]} px, but {first.name} is {wanted[1]}×{wanted[0]} px; "
            "the images of a task must all have the size of the originals."
        )
    if shape != wanted:
        channels = [each[2] if len(each) > 2 else 1 for each in (shape, wanted)]
        raise SourceBenchError(
            f"{path} has {channels[0]} channels, but {first.name} has {channels[1]}; the images of "
            "a task must all have the same ones."
        )
