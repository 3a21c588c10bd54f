"""Draw a figure of the runs that were explored."""

from pathlib import Path

from sourcebench.explorer import Explored
from sourcebench.figures import FIGURES
from sourcebench.figures.parts.save import save
from sourcebench.figures.parts.style import StudyStyle
from sourcebench.jobs import job

with job(snakemake):
    explored = [Explored.read(Path(path).parent) for path in snakemake.input.explored]
    figure = FIGURES.get(snakemake.wildcards.figure)
    save(figure(explored, StudyStyle(**snakemake.params.style)), snakemake.output.png)
