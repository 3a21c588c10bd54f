"""Describe the target datasets, as the paper's Table 1 does."""

from sourcebench import design, files
from sourcebench.evaluation.tables.table1 import Target, table1
from sourcebench.jobs import job

with job(snakemake):
    given, described = snakemake.input, snakemake.params.targets
    designs = map(design.read, given.designs, given.tests)
    targets = [
        Target(**described[task], design=made)
        for task, made in zip(described, designs, strict=True)
    ]
    files.write_csv(snakemake.output[0], table1(targets))
