"""Draw the artifacts side by side."""

import pandas as pd

from sourcebench import confounders, figures, files
from sourcebench.figures.figure2 import artifact_panel
from sourcebench.jobs import job

with job(snakemake.log):
    samples = pd.read_csv(snakemake.input.samples)
    example = int((samples["label"] == 1).idxmax())
    built = {
        name: confounders.from_entry(entry) for name, entry in snakemake.params.confounders.items()
    }
    image = files.load_array(snakemake.input.native)[example]
    figure = artifact_panel(image, built, seed=snakemake.params.seed)
    figures.save(figure, snakemake.output.png)
