"""How often intervals hold the truth, and tests find what is not there: simulated studies.

A study is a test set of 31 positive and 52 negative images, one per patient, drawn anew each time,
and networks of two sources, each at p_art = 0 and above, in 3 or 5 folds. A margin is the fold's
distance between the classes if the image is positive, and noise of variance 1: partly of the image,
for all folds of a source (half of that for both sources), partly of the network. With the distance
d, and the standard deviation s of a fold's own, the AUROC on other patients and folds is
Φ(d / √(2 + s²)): the truth that intervals are to hold. Draws of patients, estimates, intervals and
p are the library's, as `Evidence` has them.

Beside it the t-interval over folds, as of independent observations.

Likewise the leaderboard: sources whose AUROC falls over p_art, some more, some as much as others.
Do the ranks' intervals hold the true rank, and those of the crossing the p_art at which the true
curve, straight between the p_art that there are, falls to 0.5? A source's rank is one more than how
many are better (Mogstad et al. 2024), so that equal ones share the best of theirs.

    python benchmarks/coverage.py [--studies 1000] [--draws 500]
"""

import argparse
import time
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import product

import numpy as np
import numpy.typing as npt
import pandas as pd
from common import machine, verdict
from scipy.stats import norm, rankdata

from sourcebench.evaluation.bootstrap import Estimate, estimate
from sourcebench.evaluation.cells import Cells
from sourcebench.evaluation.costs import DROPS
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.intervals import UNIT, Limits, bounds
from sourcebench.evaluation.leaderboard import (
    RANKS,
    Scored,
    _area,
    _crossing,
    _linear,
    _ranks,
    crossing,
)
from sourcebench.evaluation.metrics.areas import ranked_rightly
from sourcebench.evaluation.resampling import Patients
from sourcebench.seeds import generator

POSITIVES, NEGATIVES = 31, 52  # the test set of the lung mass task
NETWORKS = {
    "a 0.65": 0.65, "a 0.85": 0.85, "a 0.96": 0.96, "a 0.15": 0.15, "a 0.85 again": 0.85,
    "b 0.85": 0.85, "b 0.65": 0.65,
}  # fmt: skip
"""Of two sources, by their true AUROC: at p_art = 0 both have 0.85."""
BETWEEN: Limits = (-2.0, 2.0)
STATISTICS: dict[str, tuple[dict[str, int], Limits | None]] = {
    "AUROC 0.15": ({"a 0.15": 1}, UNIT),
    "AUROC 0.65": ({"a 0.65": 1}, UNIT),
    "AUROC 0.85": ({"a 0.85": 1}, UNIT),
    "AUROC 0.96": ({"a 0.96": 1}, UNIT),
    "drop, none": ({"a 0.85": 1, "a 0.85 again": -1}, DROPS),
    "drop 0.85 to 0.65": ({"a 0.85": 1, "a 0.65": -1}, DROPS),
    "drop 0.85 to 0.15": ({"a 0.85": 1, "a 0.15": -1}, DROPS),
    "sources, none": ({"a 0.85": 1, "b 0.85": -1}, DROPS),
    "sources 0.85, 0.65": ({"a 0.85": 1, "b 0.65": -1}, DROPS),
    "drops, none": ({"a 0.85": 1, "a 0.65": -1, "b 0.85": -1, "b 0.65": 1}, BETWEEN),
    "drops 0.70, 0.20": ({"a 0.85": 1, "a 0.15": -1, "b 0.85": -1, "b 0.65": 1}, BETWEEN),
}
"""What each is a sum of, and between which values it lies."""
SHARES = np.array([0.0, 0.5, 1.0])
CURVES = {
    "a": (0.85, 0.75, 0.40), "b": (0.85, 0.75, 0.40), "c": (0.85, 0.75, 0.40),
    "d": (0.85, 0.72, 0.35), "e": (0.85, 0.80, 0.65), "f": (0.80, 0.45, 0.20),
}  # fmt: skip
"""Of six sources the true AUROC at each of these p_art."""
RANKED = {"apart": "aef", "close": "ade", "two equal": "abe", "all equal": "abc"}
"""Which of them are ranked among each other."""
Arrays = dict[str, npt.NDArray[np.float64]]


@dataclass(frozen=True)
class World:
    """What studies have in common.

    Attributes:
        folds: how many.
        shared: the share of the noise' variance that the folds of a source share.
        own: standard deviation of the folds' distances between the classes.
    """

    folds: int
    shared: float
    own: float

    def __str__(self) -> str:
        return f"{self.folds} folds, shared {self.shared:.1f}, own {self.own:.1f}"


@dataclass(frozen=True)
class Coverage:
    """How the intervals of one statistic did.

    Attributes:
        truth: what they were to hold.
        held: how often they did.
        by_folds: how often the t-interval over folds did.
        found: how often p was at most 0.05: without an effect the level of the test.
        width: mean width of the intervals.
    """

    truth: float
    held: float
    by_folds: float
    found: float
    width: float


@dataclass(frozen=True)
class Held:
    """How the intervals of one score's ranks did, or those of the crossing of one curve.

    Attributes:
        truth: what they were to hold; of ranks, of each source.
        held: how often they did, likewise.
        width: median width of the intervals.
    """

    truth: npt.NDArray[np.float64]
    held: npt.NDArray[np.float64]
    width: float


WORLDS = [World(*each) for each in product((3, 5), (0.9, 0.4), (0.1, 0.4))]


def study(world: World, number: int, draws: int) -> tuple[Arrays, Arrays]:
    """Return the AUROC of every network by folds (F), and on draws of the patients (F×B)."""
    return tested(world, NETWORKS, draws, world, number)


def tested(
    world: World, networks: Mapping[str, float], draws: int, *names: object
) -> tuple[Arrays, Arrays]:
    """Return the AUROC of networks by folds (F), and on draws of the patients (F×B).

    Args:
        world: what their folds have in common.
        networks: their true AUROC; the first letter of a name is the source.
        draws: how many.
        names: of the study, which its random numbers depend on.
    """
    rng = generator("coverage", *names)
    positive = np.arange(POSITIVES + NEGATIVES) < POSITIVES
    patients = np.arange(len(positive)).astype(str)
    weights = Patients(patients, draws, *names).weights(patients)
    once = np.ones((len(positive), 1), np.float32)
    sources = sorted({name[0] for name in networks})
    both, *each = rng.normal(size=(1 + len(sources), len(positive)))
    of_image = {name: (both + one) / np.sqrt(2) for name, one in zip(sources, each, strict=True)}
    values, drawn = {}, {}
    for name, auroc in networks.items():
        size = (world.folds, len(positive))
        distance = norm.ppf(auroc) * np.sqrt(2 + world.own**2)
        distance = distance + world.own * rng.normal(size=(world.folds, 1))
        noise = np.sqrt(world.shared) * of_image[name[0]]
        noise = noise + np.sqrt(1 - world.shared) * rng.normal(size=size)
        margins = distance * positive + noise
        values[name] = np.array([ranked_rightly(positive, each, once)[0] for each in margins])
        drawn[name] = np.array([ranked_rightly(positive, each, weights) for each in margins])
    return values, drawn


def covered(world: World, studies: int, draws: int) -> dict[str, Coverage]:
    """Return how the intervals of every statistic did in so many studies."""
    every = [study(world, number, draws) for number in range(studies)]
    values, drawn = (
        {name: np.stack([each[part][name] for each in every]).astype(dtype) for name in NETWORKS}
        for part, dtype in ((0, np.float64), (1, np.float32))
    )
    found = {}
    for name, (parts, within) in STATISTICS.items():
        of_folds = sum(sign * values[each] for each, sign in parts.items())
        of_draws = sum(sign * drawn[each] for each, sign in parts.items())
        truth = sum(sign * NETWORKS[each] for each, sign in parts.items())
        made = estimate(of_folds, of_draws, POSITIVES)
        found[name] = coverage(truth, made, of_folds, within)
    return found


def coverage(
    truth: float, made: Estimate, folds: npt.NDArray[np.float64], within: Limits | None
) -> Coverage:
    """Return how often the intervals of S studies (and of their folds, S×F) hold the truth."""
    low, high = made.interval(within)
    spread = folds.std(1, ddof=1)
    least, most = bounds(folds.mean(1), spread, folds.shape[1], limits=None)
    return Coverage(
        truth,
        float(np.mean((low <= truth) & (truth <= high))),
        float(np.mean((least <= truth) & (truth <= most))),
        float(np.mean(made.p(within) <= 0.05)),
        float(np.mean(high - low)),
    )


def ranked(world: World, studies: int, draws: int) -> dict[str, Held]:
    """Return how the intervals of ranks and crossings did in so many studies."""
    every = [scores(world, number, draws) for number in range(studies)]
    true = np.array(list(CURVES.values()))
    falls = crossing(true, SHARES)
    truths = {"area": np.trapezoid(true, SHARES), "drop": true[:, 0] - true[:, -1]}
    found = {}
    for (name, truth), sources in product({**truths, "crossing": falls}.items(), RANKED):
        inside = np.isin(list(CURVES), list(RANKED[sources]))
        ranks = pd.DataFrame([_ranks(each[name], inside) for each in every])
        low, high = (np.stack(ranks[side].tolist())[:, inside] for side in RANKS[1:])
        rank = rankdata(-every[0][name].better * truth[inside].round(9), method="min")
        found[f"{name}, {sources}"] = held(rank, low, high)
    for source in np.flatnonzero(np.isfinite(falls)):
        low, high = (
            np.array([[getattr(each["crossing"], side)[source]] for each in every])
            for side in ("low", "high")
        )
        found[f"crossing {list(CURVES)[source]}"] = held(falls[[source]], low, high)
    return found


def scores(world: World, number: int, draws: int) -> dict[str, Scored]:
    """Return scores of the leaderboard of one study, of all six sources."""
    names = [[f"{source} {share:g}" for source in CURVES] for share in SHARES]
    true = dict(zip(np.ravel(names), np.transpose(list(CURVES.values())).flat, strict=True))
    values, drawn = tested(world, true, draws, "leaderboard", world, number)
    every = pd.DataFrame({"source": list(CURVES)})
    several, still = np.full(len(CURVES), world.folds), np.zeros(len(CURVES), bool)
    curve = [
        Cells(
            every,
            np.stack([values[name] for name in each]),
            np.stack([drawn[name] for name in each]).astype(np.float32),
            several,
            np.ones_like(several),
            still,
        )
        for each in names
    ]
    images = pd.DataFrame({"label": np.arange(POSITIVES + NEGATIVES) < POSITIVES})
    images["patient_id"] = np.arange(len(images)).astype(str)
    runs = pd.DataFrame({"test_set": ["ood"], "p_art": [0.0]})
    evidence = Evidence(f"{world} {number}", "none", runs, [images], draws)
    return {
        "area": _linear(evidence, _area(curve, SHARES), +1, UNIT),
        "drop": _linear(evidence, curve[0].less(curve[-1]), -1, DROPS),
        "crossing": _crossing(evidence, curve, SHARES),
    }


def held(
    truth: npt.NDArray[np.float64], low: npt.NDArray[np.float64], high: npt.NDArray[np.float64]
) -> Held:
    """Return how often the intervals of studies (S×K) hold each of K truths."""
    with np.errstate(invalid="ignore"):
        width = np.nan_to_num(high - low, nan=0.0, posinf=np.inf)  # from inf to inf
    inside = (low <= truth) & (truth <= high)
    return Held(truth, inside.mean(0), float(np.median(width)))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--studies", type=int, default=1000)
    parser.add_argument("--draws", type=int, default=500)
    asked = parser.parse_args()
    print(machine())
    print(f"{asked.studies} studies of each kind; a rate of 0.95 is sure to ", end="")
    print(f"±{1.96 * np.sqrt(0.95 * 0.05 / asked.studies):.3f}\n")
    print(f"{'statistic':<20} {'truth':>6} {'held':>6} {'folds':>6} {'p≤0.05':>7} {'width':>6}")
    every, levels = [], []
    ranks: list[float] = []
    crossings: list[float] = []
    begun = time.perf_counter()
    for world in WORLDS:
        print(world)
        for name, each in covered(world, asked.studies, asked.draws).items():
            p = "" if name.startswith("AUROC") else f"{each.found:.3f}"
            rates = f"{each.held:6.3f} {each.by_folds:6.3f} {p:>7} {each.width:6.3f}"
            print(f"{name:<20} {each.truth:6.2f} {rates}", flush=True)
            every.append(each.held)
            levels += [each.found] if name.endswith("none") else []
        for name, one in ranked(world, asked.studies, asked.draws).items():
            truth = " ".join(f"{each:.3g}" for each in one.truth)
            rates = " ".join(f"{each:.3f}" for each in one.held)
            print(f"{name:<20} {truth:>6} {rates}, width {one.width:.3g}", flush=True)
            (ranks if "," in name else crossings).extend(one.held)
    print(f"\n{time.perf_counter() - begun:.0f} s")
    verdict("least that an interval held", min(every), at_least=0.93)
    verdict("most that an interval held", max(every), at_most=0.975)
    verdict("highest level of a test", max(levels), at_most=0.07)
    verdict("least that a rank's interval held", min(ranks), at_least=0.93)
    verdict("least that a crossing's interval held", min(crossings), at_least=0.93)


if __name__ == "__main__":
    main()
