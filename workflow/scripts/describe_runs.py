"""Describe the runs: all tables that are made of their table."""

from sourcebench import files
from sourcebench.evaluation.aggregate import read_runs
from sourcebench.evaluation.tables import TABLES
from sourcebench.jobs import job

with job(snakemake):
    runs = read_runs(snakemake.input.runs)
    for name, path in snakemake.output.items():
        files.write_csv(path, TABLES.get(name)(runs))
