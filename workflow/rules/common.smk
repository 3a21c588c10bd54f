# What the other files use: the checked config, the table of runs, and where things lie.

import os
import sys
from importlib.util import find_spec
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import Paramspace

# The library that lies here goes before one that is installed, in the jobs as well.
SCRIPTS = Path(workflow.snakefile).parents[1] / "scripts"
if SCRIPTS.is_dir():
    sys.path.insert(0, str(SCRIPTS))
    known = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    places = dict.fromkeys([str(SCRIPTS), *known])
    os.environ.update(PYTHONPATH=os.pathsep.join(filter(None, places)))
elif not find_spec("sourcebench"):
    raise WorkflowError(
        "The workflow is read from a repository's address, and its library is not installed. "
        "Install it from there: pip install git+<address>@<tag>"
    )

from sourcebench import config as border
from sourcebench import experiment
from sourcebench.dependencies import WHERE, Dependencies
from sourcebench.design import NONE
from sourcebench.errors import SourceBenchError
from sourcebench.machine import memory_mb
from sourcebench.models import weights_arch

try:
    border.check(config)
except SourceBenchError as error:
    raise WorkflowError(f"Config: {error}")
for remark in border.remarks(config):
    logger.warning(f"Note: {remark}")

# Jobs say what memory they need; on this machine no more of them run than fit into it.
if all(
    workflow.global_resources.get(name).value is None for name in ("mem_mb", "_nodes")
):
    workflow.register_resource("mem_mb", memory_mb())

DECIDED_BY = Dependencies(config)
STUDY = f"results/{config['study']}"
if workflow.modifier.path_modifier.replace_prefix(STUDY) != STUDY:
    raise WorkflowError(
        "SourceBench as a module can't move its folders by 'prefix' or 'replace_prefix': "
        "its steps find each other by their paths. Studies differ by 'study' in their config."
    )
RUNS = Paramspace(experiment.table(config))
RUN = f"{STUDY}/runs/{RUNS.wildcard_pattern}"
TASKS = config["experiment"]["tasks"]
AUDITED = config["experiment"].get("audit", [])
TRAINING = config["training"]
DESIGNS = [
    (task, name)
    for task in TASKS
    for name in config["tasks"][task]["confounders"] or [NONE]
]
DRAWN_INTO = {
    task: names
    for task in TASKS
    if (names := experiment.pixel_confounders(config, task))
}

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
FIGURES = {name: DRAWN[name] for name in experiment.figures(config)}


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
    """A layer of a confounder: 'artifact', or 'base' where that is not the images themselves."""
    return f"{STUDY}/data/{task}/{confounder}/{name}.npy"


def of_task(*keys):
    """The part of a task that a step depends on, so that no other change of it runs it again."""
    return lambda wildcards: {
        key: config["tasks"][wildcards.task][key]
        for key in keys
        if key in config["tasks"][wildcards.task]
    }


def of_confounder(wildcards):
    """What decides a confounder's artifact: all of its entry but its name for people."""
    entry = config["confounders"][wildcards.confounder]
    return {key: value for key, value in entry.items() if key != "title"}


def dataset_of(task):
    """The entry of a task's dataset in the config."""
    return config["datasets"][config["tasks"][task]["dataset"]]


def design(task, confounder):
    """The design of a confounder."""
    return f"{STUDY}/design/{task}/{confounder}.csv"


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
    return Path(workflow.source_path(f"../report/{figure}.rst")).read_text()


def figure_labels(name):
    """A figure's labels in the report."""
    return {"shows": FIGURES[name][1], "as": "figure"}
