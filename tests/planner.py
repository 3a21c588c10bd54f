"""Snakemake without its start: forked from a process that has imported all it needs."""

import multiprocessing
import os
import shutil
import tempfile
from pathlib import Path

from conftest import ROOT

FORKS = multiprocessing.get_context("forkserver")
# What the workflow imports from others. Not the library: each study brings its own.
FORKS.set_forkserver_preload(["snakemake.cli", "snakemake.utils", "pandas", "torch", "timm"])


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


def _main(folder, arguments, said):
    from snakemake.cli import main

    os.chdir(folder)
    terminal = os.open(said, os.O_WRONLY | os.O_APPEND)
    os.dup2(terminal, 1)
    os.dup2(terminal, 2)
    main(list(arguments))
