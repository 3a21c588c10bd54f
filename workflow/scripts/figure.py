"""Draw a figure from the table of runs."""

from sourcebench import experiment, figures
from sourcebench.evaluation.aggregate import read_runs
from sourcebench.jobs import job

with job(snakemake.log):
    draw = figures.FIGURES.get(snakemake.wildcards.figure)
    style = experiment.style(snakemake.params.config)
    figures.save(draw(read_runs(snakemake.input[0]), style), snakemake.output.png)
