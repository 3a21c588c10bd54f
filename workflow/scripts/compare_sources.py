"""Describe every cell, and test the sources against each other."""

from sourcebench import files
from sourcebench.evaluation import statistics
from sourcebench.evaluation.aggregate import read_runs
from sourcebench.jobs import job

with job(snakemake.log):
    runs = read_runs(snakemake.input[0])
    files.write_csv(snakemake.output.summary, statistics.summary(runs))
    files.write_csv(snakemake.output.drop, statistics.shortcut_drop(runs))
    files.write_csv(snakemake.output.comparisons, statistics.compare_sources(runs))
    files.write_csv(snakemake.output.epochs, statistics.epochs_per_source(runs))
