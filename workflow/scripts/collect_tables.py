"""Put the tables of all tasks and confounders together."""

from sourcebench import files
from sourcebench.evaluation.aggregate import together
from sourcebench.jobs import job

with job(snakemake):
    for name, path in snakemake.output.items():
        files.write_csv(path, together(snakemake.input[name]))
