"""Describe the target datasets, as the paper's Table 1 does."""

from sourcebench import design, files
from sourcebench.evaluation.tables.table1 import Target, table1
from sourcebench.jobs import job

with job(snakemake.log):
    described = snakemake.params.targets
    designs = zip(described, snakemake.input.designs, strict=True)
    targets = [Target(**described[task], design=design.read(path)) for task, path in designs]
    files.write_csv(snakemake.output[0], table1(targets))
