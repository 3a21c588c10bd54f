"""Set what a paper published beside what this study found."""

from sourcebench import files
from sourcebench.evaluation.aggregate import Tables
from sourcebench.evaluation.tables import TABLES
from sourcebench.jobs import job

with job(snakemake):
    tables = Tables(dict(snakemake.input.items()))
    told = TABLES.get("published")(tables["summary"], tables["runs"], snakemake.params.published)
    files.write_csv(snakemake.output[0], told)
