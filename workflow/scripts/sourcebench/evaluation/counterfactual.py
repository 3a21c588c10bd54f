"""What an artifact does to the answer: every test image with it, against the same image without.

Two test sets hold it: 'artifact' and 'clean'. Where an artifact is drawn into images, both have the
same images, and the effect is a difference of pairs: had the image not had the artifact, the answer
would have been the other. An attribute, such as the patient's sex, can't be taken away: there the
images that have it are set against those that lack it, class by class, and the effect is a contrast
of groups, which may differ in more than the attribute.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd

from sourcebench.evaluation.aggregate import axes
from sourcebench.evaluation.bootstrap import estimate
from sourcebench.evaluation.costs import with_skill
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.intervals import Limits
from sourcebench.evaluation.metrics import columns_of_logits, margin, probabilities
from sourcebench.evaluation.metrics.areas import ranked_rightly
from sourcebench.evaluation.resampling import Floats, Weights

PAIRED, GROUPS = "paired images", "matched groups"
CHANGES, FLIPPED = ("log_odds", "probability"), "flipped"
MEASURES: dict[str, Limits | None] = {
    "log_odds": None,
    "probability": (-1.0, 1.0),
    FLIPPED: (0.0, 1.0),
    "encoded": (0.0, 1.0),
    "probe": (0.0, 1.0),
}
"""What is measured, and between which values it lies."""
ALL, OTHERS = "all", "others"
MANY = 20
"""Of more classes the confounded one has a row, and all others together."""


@dataclass(frozen=True)
class Effects:
    """The effect of an artifact on every network.

    Attributes:
        networks: the axes of each, R rows.
        images: class, `OTHERS` or `ALL` → R, how many images have the artifact.
        contrast: what was compared: `PAIRED` or `GROUPS`.
        values: measure → the same → R.
        draws: likewise, R×B.
    """

    networks: pd.DataFrame
    images: dict[str, npt.NDArray[np.int64]]
    contrast: str
    values: dict[str, dict[str, Floats]]
    draws: dict[str, dict[str, Floats]]


@lru_cache(maxsize=1)  # two tables are made of them
def effects(evidence: Evidence) -> Effects | None:
    """Return what the confounder does to every network's answers; None without the two test sets.

    Of all classes together it is the mean over all images; where classes are the standard, as of
    groups and of areas, the mean of theirs, weighted by their images with the artifact. Of more
    classes than `MANY` those that are not confounded are taken as one.
    """
    both = _networks(evidence.runs)
    if both.empty:
        return None
    found: dict[tuple[str, str], list[Floats]] = {}
    paired = True
    counts: dict[str, list[int]] = {}
    for clean, artifact in both[["clean", "artifact"]].to_numpy():
        sides = Sides(
            *(_answers(evidence.predictions[int(row)], evidence) for row in (clean, artifact))
        )
        drawn = [evidence.weights(int(row)) for row in (clean, artifact)]
        labels = sides.artifact["label"].to_numpy()
        kinds = _kinds(evidence)
        sizes = np.array([(labels == label).sum() for label in range(len(kinds))])
        shares, names = sizes / len(labels), [*kinds, ALL]
        for name, size in zip(names, [*sizes, len(labels)], strict=True):
            counts.setdefault(name, []).append(int(size))
        paired &= sides.paired
        for measure, each in _measured(sides, drawn, len(kinds)).items():
            by_class = each[: len(kinds)]
            # A class that no image with the artifact is of counts for nothing.
            standard = shares @ np.where(shares[:, None] > 0, by_class, 0)
            # Pairs need no standard of classes: of all images, the shares of classes vary as well.
            total = each[-1] if sides.paired and measure in (*CHANGES, FLIPPED) else standard
            for name, values in zip(names, [*by_class, total], strict=True):
                found.setdefault((measure, name), []).append(values)
    stacked = {key: np.stack(each) for key, each in found.items()}
    return Effects(
        both.index.to_frame(index=False),
        {label: np.array(each) for label, each in counts.items()},
        PAIRED if paired else GROUPS,
        {name: {each: stacked[name, each][:, 0] for each in counts} for name in MEASURES},
        {name: {each: stacked[name, each][:, 1:] for each in counts} for name in MEASURES},
    )


@dataclass(frozen=True)
class Sides:
    """The images of a network's two test sets, without the artifact and with it.

    Attributes:
        clean: a row per image: `image_id`, `label` (see `_kinds`), `log_odds` and `probability` of
            the confounded class, `called` (the class), `probe`.
        artifact: likewise.
    """

    clean: pd.DataFrame
    artifact: pd.DataFrame

    @cached_property
    def paired(self) -> bool:
        """Whether both have the same images, in the same order."""
        one, other = (side["image_id"].to_numpy() for side in (self.clean, self.artifact))
        return bool(np.array_equal(one, other))


def _measured(
    sides: Sides, drawn: list[tuple[Weights, Weights]], classes: int
) -> dict[str, Floats]:
    """Return each measure by class: K×(1 + B), the first on the test sets as they are.

    Of those that are means over images it is (K + 1)×(1 + B): the last is the mean over them all.
    """
    found = _changes(sides, [every for every, _ in drawn], classes)
    few = [_with_all(each) for _, each in drawn]
    for name, score in {"encoded": "log_odds", "probe": "probe"}.items():
        found[name] = np.stack([_told(sides, score, few, label) for label in range(classes)])
    return found


def _changes(sides: Sides, weights: list[Weights], classes: int) -> dict[str, Floats]:
    """Return the means of the columns with the artifact, less without it, and who was flipped."""
    clean, artifact = (
        side[[*CHANGES]].to_numpy(np.float64).T for side in (sides.clean, sides.artifact)
    )
    labels = [side["label"].to_numpy() for side in (sides.clean, sides.artifact)]
    if not sides.paired:
        after = _means(artifact, labels[1], weights[1], classes)
        changes = after - _means(clean, labels[0], weights[0], classes)
        return {
            **dict(zip(CHANGES, changes, strict=True)),
            FLIPPED: np.full_like(changes[0], np.nan),
        }
    other = sides.artifact["called"].to_numpy() != sides.clean["called"].to_numpy()
    means = _means(np.vstack([artifact - clean, other]), labels[0], weights[0], classes)
    return dict(zip((*CHANGES, FLIPPED), means, strict=True))


def _means(
    values: Floats, labels: npt.NDArray[np.integer[Any]], weights: Weights, classes: int
) -> Floats:
    """Return means over the images of each class, and over all, as they are and in each draw.

    Args:
        values: M×N.
        labels: N.
        weights: N×B.
        classes: K.

    Returns:
        M×(K + 1)×(1 + B).
    """
    of_class = np.eye(classes)[labels].T
    of_class = np.vstack([of_class, np.ones(len(labels))])
    rows = np.concatenate([values[:, None] * of_class, of_class[None]])
    flat = rows.reshape(-1, len(labels))
    drawn = flat.astype(np.float32) @ weights
    sums = np.concatenate([flat.sum(1, keepdims=True), drawn], axis=1)
    sums = sums.reshape(len(rows), classes + 1, -1)
    with np.errstate(invalid="ignore"):
        means: Floats = sums[:-1] / sums[-1]
    return means


def _told(sides: Sides, score: str, weights: list[Weights], label: int) -> Floats:
    """Return the AUROC of "has the artifact" from a score, among the images of a class: 1 + B."""
    there = [(side["label"] == label).to_numpy() for side in (sides.clean, sides.artifact)]
    clean, artifact = sides.clean.loc[there[0], score], sides.artifact.loc[there[1], score]
    values = np.concatenate([clean, artifact]).astype(np.float64)
    if clean.empty or artifact.empty or np.isnan(values).any():
        return np.full(weights[0].shape[1], np.nan)
    has = np.repeat([False, True], [len(clean), len(artifact)])
    drawn = np.concatenate([each[side] for each, side in zip(weights, there, strict=True)])
    return ranked_rightly(has, values, drawn)


def _with_all(weights: Weights) -> Weights:
    """Return draws after one of every image once."""
    return np.concatenate([np.ones((len(weights), 1), np.float32), weights], axis=1)


def counterfactual(evidence: Evidence) -> pd.DataFrame:
    """Return the effect of the artifact on the answers of every network.

    Returns:
        One row per network and class, and for all classes together: the axes, `class`, `n` (its
        images with the artifact), `contrast`, and of each of `MEASURES` but the probe its value and
        the bounds of its 95 % confidence interval over patients: `log_odds, log_odds_low,
        log_odds_high, …`, and `skilled`.
    """
    found = effects(evidence)
    shown = [name for name in MEASURES if name != "probe"]
    if found is None:
        places = [name for name in axes(evidence.runs) if name != "test_set"]
        numbers = [f"{name}{end}" for name in shown for end in ("", "_low", "_high")]
        return pd.DataFrame(columns=[*places, "class", "n", "contrast", *numbers, "skilled"])
    parts = []
    for label in found.values[shown[0]]:
        n, contrast = found.images[label], found.contrast
        part = found.networks.assign(**{"class": label}, n=n, contrast=contrast)
        for name in shown:
            value, drawn = found.values[name][label], found.draws[name][label]
            single = estimate(value[:, None], drawn[:, None, :], evidence.rarest)
            low, high = single.interval(MEASURES[name])
            part[[name, f"{name}_low", f"{name}_high"]] = np.stack([value, low, high], axis=1)
        parts.append(part)
    table = pd.concat(parts).sort_values([*found.networks, "class"], ignore_index=True)
    return with_skill(evidence, table)


def _networks(runs: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of each network's two test sets, `clean` and `artifact`, by its axes."""
    names = [name for name in axes(runs) if name != "test_set"]
    rows = {
        test_set: runs[runs["test_set"] == test_set].reset_index().set_index(names)["index"]
        for test_set in ("clean", "artifact")
    }
    return rows["clean"].to_frame("clean").join(rows["artifact"].rename("artifact"), how="inner")


def _kinds(evidence: Evidence) -> list[str]:
    """Return what rows are of: each class; of many the confounded one, and the others."""
    if evidence.classes > MANY:
        return [OTHERS, str(evidence.confounded)]
    return [str(label) for label in range(evidence.classes)]


def _answers(predictions: pd.DataFrame, evidence: Evidence) -> pd.DataFrame:
    """Return what a network says of each image, as `Sides` has it."""
    confounded, label = evidence.confounded, predictions["label"]
    kind = (label == confounded).astype(np.int64) if evidence.classes > MANY else label
    logits = predictions[columns_of_logits(predictions.columns)].to_numpy(np.float64)
    return predictions[["image_id", "probe"]].assign(
        label=kind,
        log_odds=margin(logits, confounded),
        probability=probabilities(logits)[:, confounded],
        called=logits.argmax(1),
    )
