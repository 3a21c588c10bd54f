"""Draw a figure from the tables."""

from sourcebench.evaluation.aggregate import Tables
from sourcebench.figures import FIGURES
from sourcebench.figures.parts.save import save
from sourcebench.figures.parts.style import StudyStyle
from sourcebench.jobs import job

with job(snakemake):
    figure = FIGURES.get(snakemake.wildcards.figure)
    style = StudyStyle(**snakemake.params.style)
    tables = Tables(dict(snakemake.input.items()))
    given = tables["runs"] if figure.needs == "runs" else tables
    save(figure(given, style), snakemake.output.png)
