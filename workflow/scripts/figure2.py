"""Draw the artifacts side by side."""

from sourcebench import confounders, design, figures, files
from sourcebench.figures.figure2 import Example, artifact_panel
from sourcebench.jobs import job

with job(snakemake.log):
    originals = {}
    for task, images, samples in zip(
        snakemake.params.titles, snakemake.input.native, snakemake.input.samples, strict=True
    ):
        example = int((files.read_table(samples)["label"] == design.CONFOUNDED).idxmax())
        originals[task] = files.load_array(images)[example]
    examples = [
        Example(name, confounders.from_entry(entry), originals[task], title)
        for task, title in snakemake.params.titles.items()
        for name, entry in snakemake.params.confounders[task].items()
    ]
    figures.save(artifact_panel(examples, seed=snakemake.params.seed), snakemake.output.png)
