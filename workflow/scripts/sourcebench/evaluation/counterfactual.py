"""What an artifact does to the answer: every test image with it, against the same image without.

Two test sets hold it: 'artifact' and 'clean'. Where an artifact is drawn into images, both have the
same images, and the effect is a difference of pairs: had the image not had the artifact, the answer
would have been the other. An attribute, such as the patient's sex, can't be taken away: there the
images that have it are set against those that lack it, class by class, and the effect is a contrast
of groups, which may differ in more than the attribute.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd

from sourcebench.design import CONFOUNDED
from sourcebench.evaluation.aggregate import axes
from sourcebench.evaluation.bootstrap import estimate
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.intervals import Limits
from sourcebench.evaluation.metrics import columns_of_logits, margin, probabilities
from sourcebench.evaluation.metrics.areas import ranked_rightly
from sourcebench.evaluation.resampling import Floats, Weights

PAIRED, GROUPS = "paired images", "groups of a class"
MEASURES: dict[str, Limits | None] = {
    "log_odds": None,
    "probability": (-1.0, 1.0),
    "flipped": (0.0, 1.0),
    "encoded": (0.0, 1.0),
    "probe": (0.0, 1.0),
}
"""What is measured, and between which values it lies."""
ALL = "all"


class Measured(NamedTuple):
    """A measure of a network: its value, and that on each draw (B, or 1 where there are none)."""

    value: float
    draws: Floats


@dataclass(frozen=True)
class Pair:
    """The images of a network's test sets with and without the artifact.

    Attributes:
        images: rows of both test sets: `label`, `artifact`, `margin` (log odds of the confounded
            class), `probability` (of it), `called` (the class), `probe`; first those without.
        weights: of all these rows in each draw, N×B.
        few: the same, of the draws that an area under a curve is made for.
        paired: whether both test sets have the same images, in the same order.
    """

    images: pd.DataFrame
    weights: Weights
    few: Weights
    paired: bool

    def of_class(self, label: int) -> npt.NDArray[np.bool_]:
        """Tell which rows are of a class."""
        return (self.images["label"] == label).to_numpy()

    def contrast(self, name: str, label: int) -> Measured:
        """Return a column's mean over the images of a class with the artifact, less without."""
        values = self.images[name].to_numpy(np.float32)
        artifact = self.images["artifact"].to_numpy(bool)
        sides = [self.of_class(label) & has for has in (artifact, ~artifact)]
        if not all(side.any() for side in sides):
            return _nothing()
        with np.errstate(invalid="ignore"):
            drawn = [(values[s] @ self.weights[s]) / self.weights[s].sum(0) for s in sides]
        mean = [float(values[side].mean(dtype=np.float64)) for side in sides]
        return Measured(mean[0] - mean[1], drawn[0] - drawn[1])

    def flipped(self, label: int) -> Measured:
        """Return the share of images of a class that are called otherwise with the artifact."""
        if not self.paired:
            return _nothing()
        half = len(self.images) // 2
        called = self.images["called"].to_numpy()
        side = self.of_class(label)[:half]
        if not side.any():
            return _nothing()
        other = (called[:half] != called[half:])[side].astype(np.float32)
        weights = self.weights[:half][side]
        with np.errstate(invalid="ignore"):
            return Measured(float(other.mean()), (other @ weights) / weights.sum(0))

    def told(self, score: str, label: int) -> Measured:
        """Return the AUROC of "has the artifact" from a score, among the images of a class."""
        side = self.of_class(label)
        values = self.images.loc[side, score].to_numpy(np.float64)
        artifact = self.images.loc[side, "artifact"].to_numpy(bool)
        if not len(values) or np.isnan(values).any() or artifact.all() or not artifact.any():
            return _nothing()
        once = np.ones((len(values), 1), np.float32)
        value = float(ranked_rightly(artifact, values, once)[0])
        return Measured(value, ranked_rightly(artifact, values, self.few[side]))

    def measure(self, name: str, label: int) -> Measured:
        """Return one of `MEASURES` among the images of a class."""
        if name in ("log_odds", "probability"):
            return self.contrast(name, label)
        if name == "flipped":
            return self.flipped(label)
        return self.told("log_odds" if name == "encoded" else "probe", label)


def _nothing() -> Measured:
    return Measured(np.nan, np.full(1, np.nan))


@dataclass(frozen=True)
class Effects:
    """The effect of an artifact on every network.

    Attributes:
        networks: the axes of each, R rows.
        images: class or `ALL` → R, how many images have the artifact.
        contrast: what was compared: `PAIRED` or `GROUPS`.
        values: measure → class or `ALL` → R.
        draws: likewise, R×B.
    """

    networks: pd.DataFrame
    images: dict[str, npt.NDArray[np.int64]]
    contrast: str
    values: dict[str, dict[str, Floats]]
    draws: dict[str, dict[str, Floats]]


def effects(evidence: Evidence) -> Effects | None:
    """Return what the confounder does to every network's answers; None without the two test sets.

    Of all classes together it is the mean of theirs, weighted by their images with the artifact.
    """
    runs = evidence.runs
    names = [name for name in axes(runs) if name != "test_set"]
    sides = {
        test_set: runs[runs["test_set"] == test_set].reset_index().set_index(names)["index"]
        for test_set in ("clean", "artifact")
    }
    both = sides["clean"].to_frame("clean").join(sides["artifact"].rename("artifact"), how="inner")
    if both.empty:
        return None
    labels = [*map(str, range(evidence.classes)), ALL]
    values: dict[str, dict[str, Any]] = {m: {each: [] for each in labels} for m in MEASURES}
    draws: dict[str, dict[str, Any]] = {m: {each: [] for each in labels} for m in MEASURES}
    counts: dict[str, list[int]] = {each: [] for each in labels}
    paired = True
    for clean, artifact in both[["clean", "artifact"]].to_numpy():
        pair = _pair(evidence, int(clean), int(artifact))
        has = pair.images[pair.images["artifact"]]["label"]
        sizes = [int((has == label).sum()) for label in range(evidence.classes)]
        shares = np.array(sizes) / len(has)
        for label, size in zip(labels, [*sizes, len(has)], strict=True):
            counts[label].append(size)
        paired &= pair.paired
        for measure in MEASURES:
            found = [pair.measure(measure, label) for label in range(evidence.classes)]
            there = [each for each, share in zip(found, shares, strict=True) if share > 0]
            weigh = shares[shares > 0]
            drawn = max(len(each.draws) for each in found)
            total = Measured(
                float(np.dot(weigh, [each.value for each in there])),
                weigh @ np.stack([np.broadcast_to(each.draws, drawn) for each in there]),
            )
            for label, each in zip(labels, [*found, total], strict=True):
                values[measure][label].append(each.value)
                draws[measure][label].append(np.broadcast_to(each.draws, drawn))
    return Effects(
        both.index.to_frame(index=False),
        {label: np.array(each) for label, each in counts.items()},
        PAIRED if paired else GROUPS,
        {m: {k: np.array(v) for k, v in each.items()} for m, each in values.items()},
        {m: {k: _stacked(v) for k, v in each.items()} for m, each in draws.items()},
    )


def counterfactual(evidence: Evidence) -> pd.DataFrame:
    """Return the effect of the artifact on the answers of every network.

    Returns:
        One row per network and class, and for all classes together: the axes, `class`, `n` (its
        images with the artifact), `contrast`, and of each of `MEASURES` but the probe its value and
        the bounds of its 95 % confidence interval over patients: `log_odds, log_odds_low,
        log_odds_high, …`.
    """
    found = effects(evidence)
    shown = [name for name in MEASURES if name != "probe"]
    if found is None:
        places = [name for name in axes(evidence.runs) if name != "test_set"]
        numbers = [f"{name}{end}" for name in shown for end in ("", "_low", "_high")]
        return pd.DataFrame(columns=[*places, "class", "n", "contrast", *numbers])
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
    return pd.concat(parts).sort_values([*found.networks, "class"], ignore_index=True)


def _pair(evidence: Evidence, clean: int, artifact: int) -> Pair:
    sides = [evidence.predictions[row] for row in (clean, artifact)]
    images = pd.concat(sides, ignore_index=True)
    logits = images[columns_of_logits(images.columns)].to_numpy(np.float64)
    images = images[["image_id", "label", "artifact", "probe"]].assign(
        log_odds=margin(logits, CONFOUNDED),
        probability=probabilities(logits)[:, CONFOUNDED],
        called=logits.argmax(1),
    )
    parts = [evidence.weights(side) for side in sides]
    weights = [np.concatenate(each, axis=1) for each in parts]
    one, other = (side["image_id"].to_numpy() for side in sides)
    few = np.concatenate([each[0] for each in parts])
    return Pair(images, np.concatenate(weights), few, np.array_equal(one, other))


def _stacked(rows: list[Floats]) -> Floats:
    size = max(map(len, rows))
    return np.stack([np.broadcast_to(row, size) for row in rows])
