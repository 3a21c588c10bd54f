"""All tables and figures of the paper's grid, from stored predictions: how long they take.

3 sources × 4 architectures × 9 confounders × 6 p_art × 5 folds of made-up predictions, in files as
fine-tuning writes them, with as many test images as the default study has. Then the tables and
figures are made of them, on two cores, each in a Python of its own as in the workflow, and of the
patients as many draws as there: what is left out is Snakemake's own time.

    python benchmarks/evidence.py [--share 1] [--keep FOLDER]
"""

import argparse
import sys
import tempfile
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import yaml
from common import ROOT, machine, verdict

sys.path.insert(0, str(ROOT / "tests"))
TARGET = 5.0  # minutes
CORES = 2
SOURCES = {"imagenet": (0.86, 0.05), "radimagenet": (0.84, 0.43), "random": (0.68, 0.66)}
TESTED = {"cxr_mass": (25, 58, 1), "ct_nodule": (855, 855, 3), "cxr_atelectasis": (200, 200, 1)}
"""Positives, negatives, and images of one patient."""


def make(folder: Path, task: str, share: float) -> list[Path]:
    """Write the runs of a task, or with a share under 1 those of some architectures."""
    from synthetic_predictions import images_of, write_study

    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    experiment = config["experiment"]
    archs = experiment["archs"][: max(1, round(share * len(experiment["archs"])))]
    return write_study(
        folder,
        SOURCES,
        task=task,
        confounders=config["tasks"][task]["confounders"],
        p_art=experiment["p_art"],
        folds=experiment["folds"],
        archs=archs,
        images=images_of(*TESTED[task]),
    )


def tested(folders: list[Path], confounder: str) -> list[Path]:
    """Return the runs under a confounder, those of p_art = 0 among them."""
    return [folder for folder in folders if {"none", confounder} & set(folder.parts)]


def evidence(folders: list[Path], task: str, confounder: str, out: Path) -> None:
    """Do what the rule `evidence` does."""
    from sourcebench import files
    from sourcebench.evaluation.evidence import Evidence
    from sourcebench.evaluation.tables import TABLES
    from sourcebench.exhibits import that_need

    found = Evidence.of(folders, confounder)
    for name in that_need(TABLES, "predictions"):
        files.write_csv(out / task / confounder / f"{name}.csv", TABLES.get(name)(found))


def collect(out: Path) -> None:
    """Do what the rule `tables` does."""
    from sourcebench import files
    from sourcebench.evaluation.aggregate import together
    from sourcebench.evaluation.tables import TABLES
    from sourcebench.exhibits import that_need

    for name in that_need(TABLES, "predictions"):
        files.write_csv(out / f"{name}.csv", together(sorted(out.glob(f"*/*/{name}.csv"))))


def figure(name: str, out: Path) -> None:
    """Do what the rule `figure` does."""
    from sourcebench.evaluation.aggregate import Tables
    from sourcebench.figures import FIGURES
    from sourcebench.figures.parts.save import save
    from sourcebench.figures.parts.style import StudyStyle

    drawn = FIGURES.get(name)
    tables = Tables({path.stem: path for path in out.glob("*.csv")})
    save(
        drawn(tables["runs"] if drawn.needs == "runs" else tables, StudyStyle()),
        out / f"{name}.png",
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--share", type=float, default=1, help="of the architectures, in (0, 1]")
    parser.add_argument("--keep", type=Path, help="a folder to write into, and to leave there")
    options = parser.parse_args()

    from sourcebench.figures import FIGURES

    names = [
        name
        for name in FIGURES.names()
        if FIGURES.get(name).needs in ("runs", "tables") and "rethink" not in name
    ]
    config = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        runs = {task: make(folder / "runs", task, options.share) for task in TESTED}
        print(machine())
        print(f"{sum(map(len, runs.values()))} runs")
        out = folder / "tables"
        start = time.monotonic()
        pool = ProcessPoolExecutor(CORES, get_context("spawn"), max_tasks_per_child=1)
        with pool:
            jobs = [
                pool.submit(evidence, tested(folders, confounder), task, confounder, out)
                for task, folders in runs.items()
                for confounder in config["tasks"][task]["confounders"]
            ]
            for job in jobs:
                job.result()
            print(f"evidence: {time.monotonic() - start:.0f} s")
            pool.submit(collect, out).result()
            for job in [pool.submit(figure, name, out) for name in names]:
                job.result()
        minutes = (time.monotonic() - start) / 60
        verdict("all tables and figures, minutes", minutes, at_most=TARGET)


if __name__ == "__main__":
    main()
