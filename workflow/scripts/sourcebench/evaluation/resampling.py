"""A test set drawn again many times: patients with replacement, and all images of each.

What a metric is on such draws says how far it hangs on who happened to be in the test set. A draw
is a column of weights, how many times each image is in it, and a metric that knows weights takes
thousands of them at once.
"""

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any, Literal, NamedTuple

import numpy as np
import numpy.typing as npt

from sourcebench.seeds import generator

Floats = npt.NDArray[np.float64]
Weights = npt.NDArray[np.float32]

DRAWS = 2000
FEW = 250
"""Draws of metrics other than the headline: enough for a standard error, to a twentieth of it."""

SMALL = 32
"""Images of a class on the mean, up to which curves are made of several classes at a time."""

ROWS = 512
"""Images whose scores are set against all others' at a time."""

CELLS = 2**21
"""Images times draws that are in memory at a time: 16 MB of float64."""

BLOCK = 32
SIDES: tuple[Literal["left"], Literal["right"]] = ("left", "right")


def cumulative(weights: Weights) -> Weights:
    """Return the sums of the first rows, none to all of them: (M + 1)×B for M×B.

    As products with a small triangle, block by block: four times as fast as NumPy's own, which
    goes down one column after the other. Whole numbers below 2²⁴ stay exact.
    """
    rows, draws = weights.shape
    sums = np.zeros((-(-rows // BLOCK) * BLOCK + 1, draws), np.float32)
    sums[1 : rows + 1] = weights
    blocks = sums[1:].reshape(-1, BLOCK, draws)
    blocks[:] = np.tri(BLOCK, dtype=np.float32) @ blocks
    before = blocks[:-1, -1].cumsum(0)
    blocks[1:] += before[:, None]
    return sums[: rows + 1]


def blocks(draws: int, images: int) -> Iterator[slice]:
    """Yield all draws in turn, so many at a time that there are at most `CELLS` of so many images.

    At least one at a time.
    """
    width = max(1, CELLS // max(1, images))
    for start in range(0, draws, width):
        yield slice(start, min(start + width, draws))


class Patients:
    """Draws of a test set's patients, the same for all networks that are tested on them.

    So networks, shares and test sets are compared on the same draws: paired.

    Args:
        ids: of all patients, in any order and number.
        draws: how many.
        name: of the draws' seed.
    """

    def __init__(self, ids: npt.ArrayLike, draws: int = DRAWS, *name: object) -> None:
        self.ids = np.unique(np.asarray(ids, str))
        count = len(self.ids)
        rng, shares = generator("patients", *name), np.full(count, 1 / count)
        # A byte for each: nobody is drawn 256 times, at one time on the mean.
        self._counts = np.empty((count, draws), np.uint8)  # P×B
        for block in blocks(draws, count):
            drawn = rng.multinomial(count, shares, block.stop - block.start)
            self._counts[:, block] = drawn.T

    @property
    def draws(self) -> int:
        """How many draws there are."""
        return int(self._counts.shape[1])

    def weights(self, ids: npt.ArrayLike) -> Weights:
        """Return how many times each image is in each draw (N×B), by the images' patients."""
        return self.drawn(self.rows(ids), slice(None))

    def rows(self, ids: npt.ArrayLike) -> npt.NDArray[np.intp]:
        """Return the places of the images' patients among `ids` (N)."""
        return np.searchsorted(self.ids, np.asarray(ids, str))

    def drawn(self, rows: npt.NDArray[np.intp], draws: slice) -> Weights:
        """Return how many times each image is in some of the draws, see `weights`.

        Args:
            rows: of the images' patients.
            draws: which, so that not all of many images are in memory at once.
        """
        return self._counts[rows, draws].astype(np.float32)


class Curve(NamedTuple):
    """What each threshold at an image of the class adds to those above it, and all that are above.

    Attributes:
        true: images of the class that have this score, for each of their M scores, falling (M×B).
        false: others that have it (M×B).
        all_true: images of the class with this score or a higher one (M×B).
        all_false: others (M×B).
        own: all images of the class (B).
        others: all that are not (B).
    """

    true: Weights
    false: Weights
    all_true: Weights
    all_false: Weights
    own: Weights
    others: Weights


class Resample:
    """Predictions on one test set, and how many times each image is in each draw.

    Args:
        labels: N integers in [0, K).
        logits: N×K, finite.
        weights: N×B, whole numbers.
    """

    def __init__(
        self,
        labels: npt.NDArray[np.integer[Any]],
        logits: npt.NDArray[np.floating[Any]],
        weights: Weights,
    ) -> None:
        self.labels, self.logits, self.weights = labels, logits, weights
        self._curves: list[Curve] | None = None

    @property
    def has_small_classes(self) -> bool:
        """Whether there are many classes, of few images each."""
        images, classes = self.logits.shape
        return bool(classes > 2 and images <= SMALL * classes)

    @cached_property
    def total(self) -> Floats:
        """How many images each draw has (B)."""
        total: Floats = self.weights.sum(0, dtype=np.float64)
        return total

    def mean(self, values: npt.NDArray[Any], among: npt.NDArray[np.bool_] | None = None) -> Floats:
        """Return the mean of a value over the images of each draw (B); NaN where there are none.

        Args:
            values: one per image.
            among: the images that count; all, if it is left out.
        """
        with np.errstate(invalid="ignore"):
            if among is None:
                return (values.astype(np.float32) @ self.weights).astype(np.float64) / self.total
            weights = self.weights[among]
            mean: Floats = (values[among].astype(np.float32) @ weights) / weights.sum(0)
        return mean

    def curves(self, classes: Iterator[tuple[npt.NDArray[Any], Floats]]) -> list[Curve]:
        """Return the curve of each class, made once: whether an image is of it (0|1), its score."""
        if self._curves is None:
            self._curves = list(self.each_curve(classes))
        return self._curves

    def each_curve(self, classes: Iterator[tuple[npt.NDArray[Any], Floats]]) -> Iterator[Curve]:
        """Yield the curve of each class, see `curves`."""
        if not self.has_small_classes:
            for hit, score in classes:
                yield self.curve(score, hit == 1)
            return
        waiting: list[tuple[npt.NDArray[np.bool_], Floats]] = []
        rows = 0
        for hit, score in classes:
            waiting.append((hit == 1, score))
            rows += int(hit.sum())
            if rows >= ROWS:
                yield from self._small(waiting)
                waiting, rows = [], 0
        yield from self._small(waiting)

    def _small(self, classes: Sequence[tuple[npt.NDArray[np.bool_], Floats]]) -> Iterator[Curve]:
        """Yield what `curve` returns of classes of few images, each image against all others.

        As products of who is above whom with the weights: whole numbers, and so the same.
        """
        if not classes:
            return
        ends = np.cumsum([hit.sum() for hit, _ in classes])
        above, equal = (np.empty((ends[-1], len(self.labels)), bool) for _ in SIDES)
        for end, (hit, score) in zip(ends, classes, strict=True):
            own, rows = np.sort(score[hit])[::-1, None], slice(end - hit.sum(), end)
            above[rows], equal[rows] = (score > own) & ~hit, (score == own) & ~hit
        over = above.astype(np.float32) @ self.weights
        ties = np.zeros_like(over)
        if (tied := equal.any(1)).any():
            ties[tied] = equal[tied].astype(np.float32) @ self.weights
        for end, (hit, score) in zip(ends, classes, strict=True):
            start, images = end - hit.sum(), np.flatnonzero(hit)
            falling = images[np.argsort(-score[images], kind="stable")]
            last = np.flatnonzero(np.append(np.diff(score[falling]) != 0, True)[: len(falling)])
            all_true = np.cumsum(self.weights[falling], axis=0)
            true = np.diff(all_true[last], axis=0, prepend=np.zeros_like(over[:1]))
            false, everyone = ties[start:end][last], self.total.astype(np.float32)
            own_all = all_true[-1] if len(falling) else np.zeros_like(everyone)
            all_false = over[start:end][last] + false
            yield Curve(true, false, all_true[last], all_false, own_all, everyone - own_all)

    def curve(self, score: Floats, hit: npt.NDArray[np.bool_]) -> Curve:
        """Return the draws' counts at each score of the class, the highest first.

        Args:
            score: one per image.
            hit: whether an image is of the class that high scores speak for.
        """
        falling = np.argsort(-score, kind="stable")
        high, low = falling[hit[falling]], falling[~hit[falling]]
        thresholds = np.unique(score[high])[::-1]
        ends = np.searchsorted(-score[high], -thresholds, side="right")
        above, at_least = (np.searchsorted(-score[low], -thresholds, side=side) for side in SIDES)
        positives, negatives = cumulative(self.weights[high]), cumulative(self.weights[low])
        all_true, all_false = positives[ends], negatives[at_least]
        true = np.diff(positives[np.append(0, ends)], axis=0)
        false = all_false - negatives[above]
        return Curve(true, false, all_true, all_false, positives[-1], negatives[-1])
