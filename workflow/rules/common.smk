# What every rule file uses: the checked config, the table of runs, and where things lie.

import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import Paramspace

sys.path.insert(0, str(Path(workflow.basedir) / "workflow" / "scripts"))

from sourcebench import config as border
from sourcebench import experiment
from sourcebench.errors import SourceBenchError

try:
    border.check(config)
except SourceBenchError as error:
    raise WorkflowError(f"Config: {error}")

STUDY = f"results/{config['study']}"
RUNS = Paramspace(experiment.table(config))
RUN = f"{STUDY}/runs/{RUNS.wildcard_pattern}"
DATA = config["datasets"]["nih_cxr14"]
TASKS = config["experiment"]["tasks"]
AUDITED = config["experiment"].get("audit", [])
TRAINING = config["training"]
DESIGNS = [
    (task, name) for task in TASKS for name in config["tasks"][task]["confounders"]
]
PIXEL = [
    (task, name) for task, name in DESIGNS if experiment.is_pixel(config, name)
]


wildcard_constraints:
    task=r"\w+",
    confounder=r"\w+",
    source=r"\w+",
    arch=r"\w+",
    splits=r"\w+",
    layer="artifact|base",


def log_of(rule):
    """Where a rule without wildcards logs."""
    return f"{STUDY}/logs/{rule}.log"


def benchmark_of(rule):
    """Where a rule without wildcards is measured."""
    return f"{STUDY}/benchmarks/{rule}.tsv"


def layer(task, confounder, name):
    """A layer of a confounder: 'artifact', or 'base' where that is not the images themselves."""
    return f"{STUDY}/data/{task}/{confounder}/{name}.npy"


def design(task, confounder):
    """The design of a confounder."""
    return f"{STUDY}/design/{task}/{confounder}.csv"
