"""Collect all runs into one tidy table."""

from pathlib import Path

from sourcebench import files
from sourcebench.evaluation.aggregate import collect
from sourcebench.jobs import job

with job(snakemake):
    folders = [Path(path).parent for path in snakemake.input.records]
    files.write_csv(snakemake.output[0], collect(folders, snakemake.params.further))
