"""Designing an experiment on the images of a manifest."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sourcebench.apportionment import interleave
from sourcebench.datasets.held_out import TARGET
from sourcebench.design.labels import CONFOUNDED
from sourcebench.design.ranges import of_artifact, of_attribute
from sourcebench.design.rows import NONE, Design, fold_columns
from sourcebench.design.test_sets import Shifted, with_targets
from sourcebench.errors import SourceBenchError
from sourcebench.patients import numbers as patient_numbers
from sourcebench.seeds import generator

Integers = npt.NDArray[np.integer[Any]]


def build(
    manifest: pd.DataFrame,
    *,
    folds: int,
    val_fraction: float | None,
    seed: int,
    name: str,
    split: str | None = None,
    confounder: str = NONE,
    carrier: tuple[str, str] | None = None,
    confounded: int = CONFOUNDED,
    shifts: Sequence[Shifted] = (),
) -> Design:
    """Design an experiment on the images of a manifest.

    Args:
        manifest: `image_id, patient_id, label, role, …`, see `datasets.tasks`.
        folds: K; the K validation sets are disjoint.
        val_fraction: share of the development set that a fold validates on; K × it is at most 1.
            None where the manifest says who is validated on.
        seed: the study's seed.
        name: the task's name, for the seed and for messages.
        split: a column of the manifest that says train, val or test; where any is val, these are
            the validation set of the only fold.
        confounder: the layer of images that carry its artifact.
        carrier: (column, value) of the attribute, where the sampling is the confounder.
        confounded: the class that carries the artifact in training.
        shifts: what else it is tested on.

    Returns:
        The design. Ranks lie in (0, 1), and so do shares, which are missing for test.

    Raises:
        SourceBenchError: too few patients, a class missing in a fold, several folds where the
            manifest has one, or no validation set and no share that makes one.
    """
    held_out = manifest[manifest["role"] == TARGET]
    manifest = manifest.drop(held_out.index).reset_index(drop=True)
    design = manifest[["image_id", "patient_id", "label", "role"]].copy()
    strata = design["label"]
    if carrier is not None:
        column, value = carrier
        design["carrier"] = (manifest[column] == value).astype(int)
        strata = strata * 2 + design["carrier"]
    development = design["role"] == "dev"
    if split is not None and (manifest[split] == "val").any():
        needed = strata != 2 * design["label"] + 1 if carrier else strata.notna()
        needed |= design["label"] == confounded
        parts = manifest.loc[development, split]
        cells = _given(parts, strata[development & needed], split, folds, name)
    else:
        cells = _cells(
            design.loc[development, "patient_id"],
            strata[development],
            folds,
            _share(val_fraction, split, name),
            generator(seed, "folds", name),
            name,
        )
    for fold in range(folds):
        design[f"fold_{fold + 1}"] = ""
        design.loc[development, f"fold_{fold + 1}"] = np.where(cells == fold, "val", "train")
    ranked = share(rank(design, seed, name, confounded), seed, name)
    if carrier is not None:
        made = of_attribute(ranked, shifts)
    else:
        made = of_artifact(ranked, confounder, shifts)
    return Design(made.images, with_targets(made.tests, held_out, carrier))


def share(design: pd.DataFrame, seed: int, name: str) -> pd.DataFrame:
    """Give every patient of the development set a share, spread evenly over (0, 1).

    Shares are (i + ½)/n over the patients that have a positive image, and over those that have
    none (of several classes: over those whose highest label is the same), so that a fraction of
    them keeps the classes' balance; their order interleaves the validation sets, so that it is the
    same fraction of every fold's training set.

    Args:
        design: with its ranks; a column `share` is added after `rank`.
        seed: the study's seed.
        name: the task's name.
    """
    rng = generator(seed, "shares", name)
    development = design[design["role"] == "dev"]
    parts = fold_columns(design)
    numbers = patient_numbers(development["patient_id"])
    patients = development.groupby(numbers)[["label", *parts]].max()
    shares = np.full(len(patients), np.nan)
    cell, label = patients.groupby(parts).ngroup().to_numpy(), patients["label"].to_numpy()
    for stratum in _together(np.arange(len(patients)), label):
        cells = [list(rng.permutation(each)) for each in _together(stratum, cell[stratum])]
        order = [cells[each].pop() for each in interleave([len(each) for each in cells])]
        shares[order] = (np.arange(len(order)) + 0.5) / len(order)
    column = pd.Series(shares[numbers], development.index)
    design.insert(list(design.columns).index("rank") + 1, "share", column)
    return design


def _together(places: Integers, kinds: Integers) -> list[Integers]:
    """Return the places of each kind in their order, the kinds in theirs; a thousand at no cost."""
    order = np.argsort(kinds, kind="stable")
    return np.split(places[order], np.flatnonzero(np.diff(kinds[order])) + 1)


def rank(design: pd.DataFrame, seed: int, name: str, confounded: int = CONFOUNDED) -> pd.DataFrame:
    """Give every image of the confounded class its rank, in (0, 1).

    Ranks are (i + ½)/n over the development set and over the test set. Their order interleaves the
    validation sets, so that the share of artifacts is p_art, to within one image, in each of them.

    Args:
        design: with its fold columns; a column `rank` is added after `role`.
        seed: the study's seed.
        name: the task's name.
        confounded: the class that carries the artifact in training.
    """
    rng = generator(seed, "ranks", name)
    ranked_class = design[design["label"] == confounded]
    kinds = ["role", "carrier"] if "carrier" in design else ["role"]
    ranks = pd.Series(np.nan, index=design.index)
    for _, kind in ranked_class.groupby(kinds):
        cells = [
            list(rng.permutation(cell.index)) for _, cell in kind.groupby(fold_columns(design))
        ]
        order = [cells[cell].pop() for cell in interleave([len(cell) for cell in cells])]
        ranks[order] = (np.arange(len(kind)) + 0.5) / len(kind)
    ranked = design.drop(columns="rank", errors="ignore")
    ranked.insert(list(ranked.columns).index("role") + 1, "rank", ranks)
    return ranked


def _given(parts: pd.Series, needed: pd.Series, split: str, folds: int, name: str) -> np.ndarray:
    """Return the validation cell (0) of the only fold, and the remainder (1), as a column says.

    Args:
        parts: 'train' or 'val' of the development set's images.
        needed: the strata of those without which a p_art would lack a class.
        split: the column.
        folds: K.
        name: the task's name.
    """
    if folds != 1:
        raise SourceBenchError(
            f"{name}: samples.column '{split}' says who is validated on, so that there is one "
            f"fold, but experiment.folds is {folds}; set it to 1 (repeats may stand for folds), or "
            "write 'train' in place of 'val', and folds are drawn."
        )
    there = {part: set(needed[parts[needed.index] == part]) for part in ("train", "val")}
    if there["train"] != there["val"]:
        raise SourceBenchError(
            f"{name}: by samples.column '{split}' one of 'train' and 'val' has no image of some "
            "class with, or without, the attribute that is the confounder; move some patients."
        )
    return np.where(parts == "val", 0, 1)


def _share(val_fraction: float | None, split: str | None, name: str) -> float:
    if val_fraction is None:
        raise SourceBenchError(
            f"{name}: samples.column '{split}' says 'val' of no image, and the task has no "
            "val_fraction; give that, and folds are drawn."
        )
    return val_fraction


def _cells(
    patients: pd.Series,
    strata: pd.Series,
    folds: int,
    val_fraction: float,
    rng: np.random.Generator,
    name: str,
) -> np.ndarray:
    """Assign whole patients to K validation cells and the remainder (cell K), stratified.

    Patients with many images come first; each goes where it lessens the squared distance of the
    cells' class counts to their targets most. Patients of one image, who come last, make the
    counts exact.
    """
    groups = patient_numbers(patients)
    n = groups.max(initial=-1) + 1
    if n < folds + 1:
        raise SourceBenchError(
            f"{name}: the development set has {n} patients, too few for {folds} folds; "
            "lower experiment.folds or raise the task's samples.dev."
        )
    kinds, columns = np.unique(strata, return_inverse=True)
    shares = np.append(np.full(folds, val_fraction), max(0.0, 1 - folds * val_fraction))
    targets = shares[:, None] * np.bincount(columns)
    counts = np.zeros_like(targets)
    cell = np.zeros(n, int)
    order = rng.permutation(n)
    # A patient has images of few kinds, of however many there are.
    pairs, sizes = np.unique(groups * len(kinds) + columns, return_counts=True)
    owner, kind = np.divmod(pairs, len(kinds))
    ends = np.searchsorted(owner, np.arange(n + 1))
    for patient in order[np.argsort(-np.bincount(groups)[order], kind="stable")]:
        own = slice(ends[patient], ends[patient + 1])
        images, among = sizes[own].astype(float), kind[own]
        worse = (images**2 + 2 * images * (counts[:, among] - targets[:, among])).sum(1)
        worse[shares == 0] = np.inf
        cell[patient] = np.argmin(worse)
        counts[cell[patient], among] += images
    for fold in range(folds):
        if (counts[fold] == 0).any() or (counts.sum(0) == counts[fold]).any():
            raise SourceBenchError(
                f"{name}: fold {fold + 1} would have no image of some class in its training or "
                f"validation set ({n} patients, {len(patients)} images); lower "
                "experiment.folds, or raise the task's val_fraction or samples.dev."
            )
    return np.asarray(cell[groups])
