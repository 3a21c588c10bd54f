"""Embedding a run's images in three dimensions: how long it takes, and whether neighbours stay.

Features that are made up: twelve overlapping clouds, cut off at 0 as those behind a ReLU are.

    python benchmarks/embedding.py [--points 5000] [--features 1024]
"""

import argparse
import time

import numpy as np
from common import machine, verdict
from sklearn.manifold import trustworthiness

from sourcebench.explorer.embedding import POINTS, embed

CLOUDS, SOME = 12, 2000


def features(points: int, size: int) -> np.ndarray:
    """Return points × size, float16, as a run keeps them."""
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(CLOUDS, size))
    made = centres[rng.integers(CLOUDS, size=points)] + 2 * rng.normal(size=(points, size))
    return made.clip(0).astype(np.float16)


def main() -> None:
    """Embed, and say what it took."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--points", type=int, default=POINTS)
    parser.add_argument("--features", type=int, default=1024)
    given = parser.parse_args()
    print(machine())
    made = features(given.points, given.features)
    start, wall = time.process_time(), time.perf_counter()
    places = embed(made, 1)
    spent, wall = time.process_time() - start, time.perf_counter() - wall
    print(f"{given.points} points of {given.features} features: {wall:.0f} s on the clock")
    verdict("seconds of one core", spent, at_most=90)
    near = trustworthiness(made[:SOME].astype(float), places[:SOME], n_neighbors=12)
    verdict("trustworthiness of 12 neighbours", near, at_least=0.9)


if __name__ == "__main__":
    main()
