"""Draw a figure from the table of runs."""

from sourcebench import figures
from sourcebench.evaluation.aggregate import read_runs
from sourcebench.jobs import job

with job(snakemake.log):
    draw = figures.FIGURES.get(snakemake.wildcards.figure)
    style = figures.StudyStyle(**snakemake.params.style)
    figures.save(draw(read_runs(snakemake.input[0]), style), snakemake.output.png)
