"""Set what a paper published beside what this study found."""

from sourcebench import files
from sourcebench.evaluation.aggregate import read_table
from sourcebench.evaluation.tables import TABLES
from sourcebench.jobs import job

with job(snakemake):
    table = TABLES.get("published")(read_table(snakemake.input.summary), snakemake.params.published)
    files.write_csv(snakemake.output[0], table)
