"""Snakemake and its jobs without their start: forks of a process that has imported all they need.

That each job is a Python of its own that imports what it needs is seen in test_workflow.py, where
a study is run as a user runs it.
"""

import multiprocessing
import os
import re
import runpy
import shutil
import subprocess
import tempfile
import threading
from functools import partialmethod
from multiprocessing import forkserver
from multiprocessing.connection import wait
from pathlib import Path

from snakemake.benchmark import benchmarked

from conftest import ROOT

FORKS = multiprocessing.get_context("forkserver")
# What the workflow and its jobs import from others. Not the library: each study brings its own.
FORKS.set_forkserver_preload(
    [
        "pytest", "hypothesis", "snakemake.cli", "snakemake.utils", "snakemake.benchmark", "pandas",
        "pyarrow.parquet", "cv2", "joblib", "torch", "timm", "pytorch_lightning", "torch._dynamo",
        "sklearn.metrics", "seaborn",
    ]
)  # fmt: skip


def copied(house):
    """Copy the project into a new folder, for kinds of one's own; return its library."""
    for part in ("workflow", "config", "profiles", "envs"):
        shutil.copytree(ROOT / part, house / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "Snakefile", house / "Snakefile")
    return house / "workflow" / "scripts" / "sourcebench"


def snakemake(folder, *arguments):
    """Run Snakemake's command line in a folder; return its exit status and what it said."""
    with tempfile.NamedTemporaryFile() as said:
        process = FORKS.Process(target=_main, args=(str(folder), arguments, said.name))
        process.start()
        process.join()
        return process.exitcode, Path(said.name).read_text()


def jobs_of(said):
    """What a dry run would run, by what Snakemake said: rule → number of jobs."""
    if "Nothing to be done" in said:
        return {}
    stats = said.split("Job stats:")[1].split("Reasons:")[0]
    counts = {name: int(count) for name, count in re.findall(r"^(\w+) +(\d+)$", stats, re.M)}
    del counts["total"]
    return counts


def _main(folder, arguments, said):
    from snakemake.cli import main
    from snakemake.script import PythonScript

    # Jobs are forks of the same process as this one, not of this one, which has threads.
    forkserver._forkserver.ensure_running = lambda: None
    PythonScript.execute_script = partialmethod(_run_script, said=said)
    os.chdir(folder)
    _say_into(said)
    main(list(arguments))


def _say_into(path):
    terminal = os.open(path, os.O_WRONLY | os.O_APPEND)
    os.dup2(terminal, 1)
    os.dup2(terminal, 2)


STARTS = threading.Lock()


def _run_script(job, path, edit=False, *, said):
    """Run a job's script, from one of Snakemake's threads."""
    process = FORKS.Process(target=_script, args=(path, Path.cwd(), dict(os.environ), said))
    with STARTS:  # whoever starts a process looks whether others have ended
        process.start()
    with benchmarked(process.pid, job.bench_record):
        wait([process.sentinel])
    with STARTS:
        status = process.exitcode
    if status:
        raise subprocess.CalledProcessError(status, path)


def _script(path, folder, environment, said):
    os.environ.update(environment)
    os.chdir(folder)
    _say_into(said)
    runpy.run_path(path, run_name="__main__")
