"""Collect what all networks say of a task under a confounder, and make the tables of it."""

from pathlib import Path

from sourcebench import files
from sourcebench.evaluation.evidence import Evidence
from sourcebench.evaluation.tables import TABLES
from sourcebench.jobs import job

with job(snakemake):
    folders = [Path(path).parent for path in snakemake.input.records]
    confounder, further = snakemake.wildcards.confounder, snakemake.params.further
    evidence = Evidence.of(folders, confounder, further)
    for name, path in snakemake.output.items():
        files.write_csv(path, TABLES.get(name)(evidence))
