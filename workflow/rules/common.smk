# What the other files use: the study, the table of its runs, and where things lie.

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import Paramspace

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))

from sourcebench.errors import SourceBenchError
from sourcebench.machine import memory_mb
from sourcebench.models import weights_arch
from sourcebench.study import Dependencies, Study

try:
    study = Study.of(config)
except SourceBenchError as error:
    raise WorkflowError(f"Config: {error}")
for remark in study.remarks:
    logger.warning(f"Note: {remark}")

# Jobs say what memory they need; on this machine no more of them run than fit into it.
if all(
    workflow.global_resources.get(name).value is None for name in ("mem_mb", "_nodes")
):
    workflow.register_resource("mem_mb", memory_mb())

DECIDED_BY = Dependencies(study)
STUDY = f"results/{study.name}"
RUNS = Paramspace(study.runs)
RUN = f"{STUDY}/runs/{RUNS.wildcard_pattern}"
TASKS = list(study.tasks)
DESIGNS = [(task.name, name) for task in study.tasks.values() for name in task.designs]
DRAWN_INTO = {task.name: task.layers for task in study.tasks.values() if task.layers}

# Category and title in the report.
TABLES = {
    "split_audit": ("Data", "Split audit: sizes, balance, shared patients"),
    "table1": ("Data", "Table 1: the target datasets"),
    "counts": ("Data", "Images chosen, left out, and odd"),
    "drop": ("Robustness", "Price of the shortcut"),
    "comparisons": ("Robustness", "Permutation tests between sources"),
    "summary": ("Robustness", "AUROC per cell"),
    "runs": ("Robustness", "All runs"),
    "epochs": ("Training", "Epochs per source"),
    "sources": ("Sources", "Where the weights came from"),
}
DRAWN = {
    "drop": ("Robustness", "Price of the shortcut"),
    "figure3": ("Robustness", "Figure 3: o.o.d. and i.i.d. AUROC over p_art"),
    "figure4": ("Robustness", "Figure 4: noise, o.o.d. AUROC over p_art"),
    "permutation": ("Robustness", "Permutation tests between sources"),
    "rethink3": ("Transfer", "Rethink, Figure 3: transfer against random"),
    "rethink4": ("Transfer", "Rethink, Figure 4: small training sets"),
    "rethink5": ("Transfer", "Rethink, Figure 5: all networks"),
    "rethink6": ("Transfer", "Rethink, Figure 6: truncated networks"),
    "rethink_strategies": ("Transfer", "Transfer strategies"),
    "epochs": ("Training", "Epochs per source"),
    "figure2": ("Data", "Figure 2: the artifacts"),
}
FIGURES = {name: DRAWN[name] for name in study.figures}


wildcard_constraints:
    task=r"\w+",
    dataset=r"\w+",
    confounder=r"\w+",
    source=r"\w+",
    arch=r"\w+",
    splits=r"\w+",
    layer="artifact|base",
    weights="[0-9a-f]+",


def log_of(step):
    """Where a step that runs once logs."""
    return f"{STUDY}/logs/{step}.log"


def benchmark_of(step):
    """Where a step that runs once is measured."""
    return f"{STUDY}/benchmarks/{step}.tsv"


def layer(task, confounder, name):
    """A layer of a confounder or shift: 'artifact', or 'base' where that is not the images themselves."""
    return f"{STUDY}/data/{task}/{confounder}/{name}.npy"


def told(answer):
    """A parameter that a job needs, and by which nothing runs again: wildcards → value.

    What decides a step's result is in its digest, and this may hold more than that. Snakemake
    compares no parameter that is made from the names of a job's outputs.
    """
    return lambda wildcards, output: answer(wildcards)


def of_task(answer):
    """A parameter (see told) that is made from a task of the study."""
    return told(lambda wildcards: answer(study.tasks[wildcards.task]))


def design(task, confounder):
    """The design of a confounder: who is trained on what."""
    return f"{STUDY}/design/{task}/{confounder}.csv"


def test_sets(task, confounder):
    """The design of a confounder: which images each test set has."""
    return f"{STUDY}/design/{task}/{confounder}/test_sets.csv"


def table(name):
    """A table, as it stands in the report."""
    category, title = TABLES[name]
    return report(
        f"{STUDY}/tables/{name}.csv",
        caption=f"../report/{name}.rst",
        category=category,
        labels={"shows": title, "as": "table"},
    )


def caption(figure):
    """A figure's caption; Snakemake fills no wildcards into the names of caption files."""
    return (
        Path(workflow.basedir) / "workflow" / "report" / f"{figure}.rst"
    ).read_text()


def figure_labels(name):
    """A figure's labels in the report."""
    return {"shows": FIGURES[name][1], "as": "figure"}
