"""Read splits that somebody published."""

from pathlib import Path

from sourcebench import files
from sourcebench.design import published
from sourcebench.jobs import job

with job(snakemake):
    splits = published.fetch(snakemake.params.spec, Path(snakemake.params.folder))
    files.write_csv(snakemake.output[0], splits)
