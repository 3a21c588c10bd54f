"""Metrics of failure detection: how long many answers take, and how often intervals hold the truth.

*Speed*: 100,000 answers with a confidence score, scored with all metrics and their 95 % intervals
over patients, as a row of a table is: the patients drawn, all draws of the headline and a few of
the others, and beside it the most memory that the process took.

*Coverage*: simulated test sets. Answers of one patient go together, in how confident the network is
and in whether it is wrong. Over all patients a confidence u is uniform, and a failure as likely as
2e (1 − u), so that every metric is known: at a coverage of c the risk is e c. How often do the
intervals hold it?

    python benchmarks/failures.py [--answers 100000] [--patients 65000] [--studies 1000]
"""

import argparse
import resource
import time
from dataclasses import dataclass

import numpy as np
from common import machine, verdict
from scipy.stats import norm

from sourcebench.evaluation.failures import FAILURE_METRICS, Answers, score
from sourcebench.evaluation.failures.intervals import intervals
from sourcebench.evaluation.resampling import DRAWS, Floats, Patients
from sourcebench.seeds import generator

TARGET = 60.0  # seconds


@dataclass(frozen=True)
class World:
    """What test sets have in common.

    Attributes:
        error: the error rate e, at most ½.
        patients: how many.
        each: answers of each.
        shared: the part of the variance that the answers of a patient share.
    """

    error: float
    patients: int
    each: int = 1
    shared: float = 0.0

    def __str__(self) -> str:
        share = f" sharing {self.shared:g}" if self.each > 1 else ""
        return f"error rate {self.error:g}, {self.patients} patients of {self.each}{share}"


WORLDS = [
    World(0.25, 100), World(0.25, 400), World(0.25, 100, 4, 0.5),
    World(0.05, 400), World(0.02, 2000), World(0.5, 100),
]  # fmt: skip


def truth(error: float) -> dict[str, float]:
    """Return what each metric is over all patients."""
    e = error
    kept = (1 - np.sqrt(1 - 4 * e * 0.95 * (1 - e))) / (2 * e)  # coverage at 95 % of the right ones
    return {
        "aurc": e / 2,
        "e_aurc": e / 2 - e - (1 - e) * np.log(1 - e),
        "augrc": e / 3,
        "failure_auroc": 1 - (e / 3 - e**2 / 2) / (e * (1 - e)),
        "ece": abs(1 - 2 * e) / 2,
        "accuracy": 1 - e,
        "fpr_at_95_tpr": kept**2,
        **{f"coverage_at_risk_{each}": min(1.0, each / 100 / e) for each in (1, 2, 5)},
    }


def test_set(world: World, *names: object) -> tuple[Answers, np.ndarray]:
    """Return the answers of a simulated test set, and their patients."""
    rng = generator("failures", world, *names)
    size = (2, world.patients, world.each)
    common = np.sqrt(world.shared) * rng.normal(size=(*size[:2], 1))
    uniform = norm.cdf(common + np.sqrt(1 - world.shared) * rng.normal(size=size))
    u, chance = uniform.reshape(2, -1)
    ids = np.repeat(np.arange(world.patients), world.each)
    return Answers(u, chance < 2 * world.error * (1 - u), probability=True), ids


def covered(world: World, studies: int, draws: int) -> dict[str, tuple[Floats, int]]:
    """Return how each metric's intervals did: held, mean, width, and how many there were."""
    expected = truth(world.error)
    patients = Patients(np.arange(world.patients), draws, "coverage")
    found: dict[str, list[tuple[float, float, float]]] = {name: [] for name in FAILURE_METRICS}
    for number in range(studies):
        answers, ids = test_set(world, number)
        for name, (value, low, high) in intervals(answers, ids, patients).items():
            if np.isfinite(low):
                found[name].append((low <= expected[name] <= high, value, high - low))
    return {name: (np.mean(each, axis=0), len(each)) for name, each in found.items() if each}


def speed(images: int, count: int) -> None:
    """Print how long a test set of so many answers takes."""
    rng = generator("speed")
    u = rng.random(images)
    answers = Answers(u, rng.random(images) < 0.5 * (1 - u), probability=True)
    ids = rng.integers(0, count, images)
    begun, used = time.perf_counter(), time.process_time()
    patients = Patients(ids, DRAWS, "speed")
    drawn = time.perf_counter()
    score(answers)
    scored = time.perf_counter()
    found = intervals(answers, ids, patients)
    done, used = time.perf_counter(), time.process_time() - used
    print(f"{images:,} answers of {len(patients.ids):,} patients, {DRAWS} draws")
    print(f"{drawn - begun:.1f} s to draw the patients, once for all networks and scores")
    print(f"{scored - drawn:.2f} s for the metrics, {done - scored:.1f} s with intervals")
    for name, (value, low, high) in found.items():
        print(f"  {name:<20} {value:.4f} ({low:.4f} to {high:.4f})")
    print(f"{resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB at the most")
    verdict("all metrics and intervals, seconds", done - begun, at_most=TARGET)
    print(
        f"of which {used:.1f} s of processors' time, which a busy machine does not lengthen so much"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--answers", type=int, default=100_000)
    parser.add_argument("--patients", type=int, default=65_000, help="as CheXpert has")
    parser.add_argument("--studies", type=int, default=1000, help="0: speed alone")
    parser.add_argument("--draws", type=int, default=250)
    asked = parser.parse_args()
    print(machine())
    speed(asked.answers, asked.patients)
    rates: list[float] = []
    calibration: list[float] = []
    for world in WORLDS if asked.studies else []:
        print(f"\n{world}; {asked.studies} test sets")
        print(f"{'metric':<20} {'truth':>7} {'mean':>7} {'width':>7} {'held':>6}")
        for name, (mean, there) in covered(world, asked.studies, asked.draws).items():
            held, value, width = mean
            few = "" if there == asked.studies else f"   of {there}"
            line = f"{truth(world.error)[name]:7.4f} {value:7.4f} {width:7.4f} {held:6.3f}{few}"
            print(f"{name:<20} {line}", flush=True)
            (calibration if name == "ece" else rates).append(held)
    if rates:
        print()
        verdict("least that an interval held", min(rates), at_least=0.93)
        verdict("least that one of the ECE held", min(calibration), at_least=0.93)


if __name__ == "__main__":
    main()
