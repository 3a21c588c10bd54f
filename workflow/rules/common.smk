# What the other files use: the study, the table of its runs, and where things lie.

import gc
import os
import sys
from importlib.util import find_spec
from inspect import isfunction, signature
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import Paramspace

# A plan of thousands of jobs is millions of small objects, all in use: looking through them for
# garbage every 700 objects, as Python does, takes an eighth of the time.
gc.set_threshold(100_000)

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

from sourcebench import figures
from sourcebench.errors import SourceBenchError
from sourcebench.evaluation import tables
from sourcebench.exhibits import that_need
from sourcebench.fingerprints import code_at, code_of, is_ours
from sourcebench.machine import memory_mb
from sourcebench.models import weights_arch
from sourcebench.study import Dependencies, Study, memory

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
if workflow.modifier.path_modifier.replace_prefix(STUDY) != STUDY:
    raise WorkflowError(
        "SourceBench as a module can't move its folders by 'prefix' or 'replace_prefix': "
        "its steps find each other by their paths. Studies differ by 'study' in their config."
    )
RUNS = Paramspace(study.runs)
RUN = f"{STUDY}/runs/{RUNS.wildcard_pattern}"
TASKS = list(study.tasks)
DESIGNS = [(task.name, name) for task in study.tasks.values() for name in task.designs]
DRAWN_INTO = {task.name: task.layers for task in study.tasks.values() if task.layers}

PREDICTIONS = expand(
    f"{STUDY}/runs/{{run}}/predictions.parquet", run=RUNS.instance_patterns
)

TABLES = tables.TABLES.names()
FIGURES = study.figures


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


def asked(function):
    """A function that Snakemake asks of each job.

    It looks up the names of the arguments several times for each, and is quicker where they are
    known from the start.
    """
    function.__signature__ = signature(function)
    return function


def told(answer):
    """A parameter that a job needs, and by which nothing runs again: wildcards → value.

    What decides a step's result is in its digest, and this may hold more than that. Snakemake
    compares no parameter that is made from the names of a job's outputs.
    """
    return asked(lambda wildcards, output: answer(wildcards))


def run_by(script, *made):
    """The code of a step that trains nothing, as a parameter: any edit of it makes the step run again.

    `made` are the figures and tables whose own code the script finds by their names.
    """
    path = Path(workflow.source_path(f"../scripts/{script}.py")).resolve()
    return code_at(path, *(each.path for each in made))


def own_metrics():
    """The code of metrics and confidence scores that plugins bring, as a parameter: run_by knows those
    of the library alone.

    A plugin that registers some has loaded their package. Else there are none, and it is not loaded,
    since it takes a second.
    """
    registries = {
        "metrics": "METRICS",
        "failures": "FAILURE_METRICS",
        "confidence": "SCORES",
    }
    found = []
    for package, registry in registries.items():
        if loaded := sys.modules.get(f"sourcebench.evaluation.{package}"):
            known = getattr(loaded, registry)
            found += [known.get(name) for name in known]
    found = [getattr(each, "func", each) for each in found]  # of a partial
    made = [each if isfunction(each) else type(each) for each in found]
    return code_of(*(each for each in made if not is_ours(each)))


def of_task(answer):
    """A parameter (see told) that is made from a task of the study."""
    return told(lambda wildcards: answer(study.tasks[wildcards.task]))


def design(task, confounder):
    """The design of a confounder: who is trained on what."""
    return f"{STUDY}/design/{task}/{confounder}.csv"


def test_sets(task, confounder):
    """The design of a confounder: which images each test set has."""
    return f"{STUDY}/design/{task}/{confounder}/test_sets.csv"


def in_report(path, exhibit):
    """A file as it stands in the report, under its caption, which lies beside its code."""
    return report(
        path,
        caption=f"../scripts/sourcebench/{exhibit.file}",
        category=exhibit.category,
        labels=exhibit.labels,
    )


def table(name):
    """A table, as it stands in the report."""
    return in_report(f"{STUDY}/tables/{name}.csv", tables.TABLES.get(name))


def figure_file():
    """Any figure, as it stands in the report; Snakemake fills no wildcards into names of captions."""
    return report(
        f"{STUDY}/figures/{{figure}}.png",
        caption="../report/figure.rst",
        category=lambda wildcards: shown(wildcards).category,
        labels=lambda wildcards: shown(wildcards).labels,
    )


def shown(wildcards):
    """What a figure declares."""
    return figures.FIGURES.get(wildcards.figure)


def figures_that_need(*what):
    """The names of the figures that are made from something, as a wildcard's constraint."""
    return "|".join(name for each in what for name in that_need(figures.FIGURES, each))
