"""Draw a figure of the artifacts, on one image of each task."""

from sourcebench import design, files
from sourcebench.artifacts import ARTIFACTS
from sourcebench.figures import FIGURES
from sourcebench.figures.parts.examples import Example
from sourcebench.figures.parts.save import save
from sourcebench.jobs import job

with job(snakemake):
    originals = {}
    for task, images, samples in zip(
        snakemake.params.titles, snakemake.input.native, snakemake.input.samples, strict=True
    ):
        example = int((files.read_table(samples)["label"] == design.CONFOUNDED).idxmax())
        originals[task] = files.load_array(images)[example]
    examples = [
        Example(name, ARTIFACTS.from_entry(entry), originals[task], title)
        for task, title in snakemake.params.titles.items()
        for name, entry in snakemake.params.artifacts[task].items()
    ]
    figure = FIGURES.get(snakemake.wildcards.figure)
    save(figure(examples, snakemake.params.seed), snakemake.output.png)
