"""`snakemake -n` of the default study, the paper's grid, and none of its data present.

3 sources × 4 architectures × 9 confounders × 6 p_art × 5 folds, less what is the same network.

    python benchmarks/dry_run.py [--times 3]
"""

import argparse
import re
import statistics
import tempfile
import time
from pathlib import Path

from common import machine, snakemake, verdict

TARGET = 15.0  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=3, help="dry runs; the median counts")
    options = parser.parse_args()

    seconds = []
    print(machine())
    for _ in range(options.times):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            said = snakemake(Path(folder), {}, "config.yaml", options=["-n"])
            seconds.append(time.perf_counter() - start)
        jobs = {name: re.search(rf"^{name} +(\d+)$", said, re.M) for name in ("finetune", "total")}
        counts = ", ".join(f"{name} {found[1]}" for name, found in jobs.items() if found)
        print(f"{seconds[-1]:5.1f} s, jobs: {counts}", flush=True)
    verdict("dry run of the full grid, seconds", statistics.median(seconds), at_most=TARGET)


if __name__ == "__main__":
    main()
