"""Describe what the networks started from, as a table and as a page."""

from sourcebench import files
from sourcebench.evaluation.sources_table import flat, sources_table
from sourcebench.figures.sources_page import write_page
from sourcebench.jobs import job

with job(snakemake):
    cards = [files.read_json(path) for path in snakemake.input]
    table = sources_table(snakemake.params.described, snakemake.params.archs, cards)
    files.write_csv(snakemake.output.table, flat(table))
    write_page(snakemake.output.page, table, snakemake.params.study)
