"""Describe the runs: all tables that are made of their table, and of that of confidence scores."""

from sourcebench import files
from sourcebench.evaluation.aggregate import read_runs, read_table
from sourcebench.evaluation.tables import TABLES
from sourcebench.jobs import job

with job(snakemake):
    given = {
        "runs": (read_runs(snakemake.input.runs),),
        "confidence": (read_table(snakemake.input.confidence), snakemake.params.groups),
    }
    for name, path in snakemake.output.items():
        table = TABLES.get(name)
        files.write_csv(path, table(*given[table.needs]))
