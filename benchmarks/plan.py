"""`snakemake -n` of the default study, the paper's grid, beside what Snakemake takes by itself.

3 sources × 4 architectures × 9 confounders × 6 p_art × 5 folds, less what is the same network, and
none of the data present. Two other plans of as many runs show how much of it is Snakemake's: one
whose runs have as many inputs, outputs and parameters, and one whose runs have one output and
nothing else; neither imports anything. The three take turns.

    python benchmarks/plan.py [--times 3]
"""

import argparse
import os
import re
import statistics
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from common import machine, snakemake, verdict

TARGET = 8.0  # seconds of the processor: other programs on the machine count for less

BARE = """
rule all:
    input:
        [f"runs/run~{run}/predictions" for run in range(RUNS)],


rule run:
    output:
        "runs/run~{run}/predictions",
    shell:
        "true"
"""

SAME_SHAPE = """
def folders():
    return [f"runs/task~{i % 3}/arch~{i % 4}/source~x/p_art~{i}/fold~1" for i in range(RUNS)]


def inputs(wildcards):
    drawn = [f"data/{wildcards.task}/{layer}" for layer in range(3)]
    return {
        "before": drawn[:2],
        "samples": f"data/{wildcards.task}/3",
        "images": f"data/{wildcards.task}/4",
        "artifacts": [f"data/{wildcards.task}/5"],
        "designs": [f"data/{wildcards.task}/6"],
        "tests": [f"data/{wildcards.task}/7"],
        "weights": drawn[2:],
    }


RUN = "runs/task~{task}/arch~{arch}/source~{source}/p_art~{p_art}/fold~{fold}"


rule all:
    input:
        [f"{folder}/predictions" for folder in folders()],
        "table",


rule table:
    input:
        [f"{folder}/predictions" for folder in folders()],
        [f"{folder}/record" for folder in folders()],
    output:
        "table",
    script:
        "empty.py"


rule data:
    output:
        "data/{task}/{number}",
    script:
        "empty.py"


rule run:
    input:
        unpack(inputs),
    output:
        f"{RUN}/predictions",
        f"{RUN}/history",
        f"{RUN}/record",
    log:
        f"{RUN}/log",
    benchmark:
        f"{RUN}/benchmark"
    threads: 4
    resources:
        gpu=1,
        mem_mb=lambda wildcards, attempt: 1000 * attempt,
    params:
        given=lambda wildcards, output: wildcards.task,
        decided_by=lambda wildcards: wildcards.task,
    message:
        "{wildcards.arch} from {wildcards.source} on {wildcards.task}, p_art {wildcards.p_art}"
    script:
        "empty.py"
"""


def plan_of_the_study(folder: Path) -> str:
    """Plan the default study, and return what Snakemake said."""
    return snakemake(folder, {}, "config.yaml", options=["-n"])


def plan_of(rules: str, runs: int) -> Callable[[Path], str]:
    """Return what plans a workflow of `rules`, with so many `RUNS`, as `plan_of_the_study` does."""

    def plan(folder: Path) -> str:
        (folder / "empty.py").touch()
        snakefile = folder / "Snakefile"
        snakefile.write_text(f"RUNS = {runs}\n{rules}")
        return snakemake(folder, {}, options=["-n"], snakefile=snakefile)

    return plan


def seconds_of(plan: Callable[[Path], str]) -> tuple[float, str]:
    """Return a plan's time of the processor, in seconds, and what Snakemake said."""
    before = os.times()
    with tempfile.TemporaryDirectory() as folder:
        said = plan(Path(folder))
    after = os.times()
    user = after.children_user - before.children_user
    return user + after.children_system - before.children_system, said


def jobs(said: str, name: str) -> int:
    """Return how many jobs of a rule, or in 'total', are planned."""
    found = re.search(rf"^{name} +(\d+)$", said, re.MULTILINE)
    return int(found[1]) if found else sys.exit(f"No {name} is planned:\n{said}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--times", type=int, default=3, help="plans of each; the median counts")
    options = parser.parse_args()

    print(machine())
    first, said = seconds_of(plan_of_the_study)  # of a machine that has read nothing yet
    runs = jobs(said, "finetune")
    print(f"{runs} runs, {jobs(said, 'total')} jobs; {first:.1f} s the first time", flush=True)
    plans = {
        "Snakemake, runs of one output": plan_of(BARE, runs),
        "Snakemake, runs of the same shape": plan_of(SAME_SHAPE, runs),
        "the default study": plan_of_the_study,
    }
    taken: dict[str, list[float]] = {name: [] for name in plans}
    for _ in range(options.times):
        for name, plan in plans.items():
            taken[name].append(seconds_of(plan)[0])
            print(f"  {name:<42} {taken[name][-1]:7.2f} s", flush=True)
    *floors, ours = map(statistics.median, taken.values())
    for name, floor in zip(plans, floors, strict=False):
        print(f"{name:<44} {floor:7.2f}   {ours / floor:.2f} times as long with ours")
    verdict("dry run of the default study, seconds", ours, at_most=TARGET)


if __name__ == "__main__":
    main()
