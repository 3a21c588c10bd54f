"""What a run costs beside training: a fine-tuning job of zero epochs, from process start to end.

Snakemake runs the jobs as it always does, one at a time, on a task of a few small phantoms, in a
folder of its own; the figures are the wall-clock seconds in the jobs' own benchmark files. A job
starts Python, imports everything, builds the network, tests it, and writes its results.

    python benchmarks/overhead.py [--runs 5]
"""

import argparse
import tempfile
from pathlib import Path

import pandas as pd
from common import machine, snakemake, verdict

TARGET = 5.0  # seconds
ARCHS = ["tiny_resnet", "resnet50"]


def changes(runs: int) -> dict[str, object]:
    """Return how this study differs from the demo: smaller, untrained, in `runs` folds."""
    return {
        "study": "overhead",
        "experiment": {
            "tasks": ["cxr_mass"],
            "sources": ["random"],
            "archs": ARCHS,
            "p_art": [1],
            "folds": runs,
        },
        "tasks": {
            "cxr_mass": {
                "samples": {"test": 20, "dev": 80, "positive": 0.5},
                "val_fraction": 1 / (runs + 1),
                "input_size": 64,
                "confounders": ["tag"],
            }
        },
        "training": {"epochs": 0, "threads": 2},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=5, help="jobs per architecture")
    options = parser.parse_args()

    with tempfile.TemporaryDirectory() as folder:
        snakemake(
            Path(folder),
            changes(options.runs),
            "config.yaml",
            "demo.yaml",
            options=["--cores", "2", "--until", "finetune"],
        )
        print(machine())
        for arch in ARCHS:
            files = sorted(Path(folder).glob(f"results/overhead/runs/**/*{arch}*/**/benchmark.tsv"))
            seconds = pd.concat([pd.read_csv(file, sep="\t") for file in files])["s"]
            print(f"{arch}: {', '.join(f'{value:.1f}' for value in seconds)} s ", end="")
            print(f"(least {seconds.min():.1f})")
            verdict(f"a run of zero epochs, {arch}, seconds", seconds.median(), at_most=TARGET)


if __name__ == "__main__":
    main()
