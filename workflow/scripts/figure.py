"""Draw a figure from the table of runs."""

from sourcebench.evaluation.aggregate import read_runs
from sourcebench.figures import FIGURES
from sourcebench.figures.parts.save import save
from sourcebench.figures.parts.style import StudyStyle
from sourcebench.jobs import job

with job(snakemake):
    figure = FIGURES.get(snakemake.wildcards.figure)
    style = StudyStyle(**snakemake.params.style)
    save(figure(read_runs(snakemake.input[0]), style), snakemake.output.png)
