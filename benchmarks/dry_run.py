"""`snakemake -n` with the paper's full X-ray grid, and none of its data present.

3 sources × 4 architectures × 5 confounders × 6 p_art × 5 folds. (The paper has no RadImageNet
weights for one of the architectures; here every source has all four.)

    python benchmarks/dry_run.py [--times 3]
"""

import argparse
import re
import statistics
import tempfile
import time
from pathlib import Path

import yaml
from common import ROOT, machine, snakemake, verdict

TARGET = 15.0  # seconds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=3, help="dry runs; the median counts")
    options = parser.parse_args()

    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    archs = config["experiment"]["archs"]
    sources = config["experiment"]["sources"]
    changes = {"sources": {name: {"archs": archs} for name in sources}}
    seconds = []
    print(machine())
    for _ in range(options.times):
        with tempfile.TemporaryDirectory() as folder:
            start = time.perf_counter()
            said = snakemake(Path(folder), changes, "config.yaml", options=["-n"])
            seconds.append(time.perf_counter() - start)
        jobs = {name: re.search(rf"^{name} +(\d+)$", said, re.M) for name in ("finetune", "total")}
        counts = ", ".join(f"{name} {found[1]}" for name, found in jobs.items() if found)
        print(f"{seconds[-1]:5.1f} s, jobs: {counts}", flush=True)
    verdict("dry run of the full grid, seconds", statistics.median(seconds), at_most=TARGET)


if __name__ == "__main__":
    main()
