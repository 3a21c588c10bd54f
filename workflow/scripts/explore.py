"""Explore one run: its latent space, its concepts, and its failures."""

from pathlib import Path

from sourcebench import classes, design, files
from sourcebench.explorer.explore import explore
from sourcebench.jobs import job
from sourcebench.training.data import Layers

with job(snakemake):
    inputs, given = snakemake.input, snakemake.params.given
    found = explore(
        Path(snakemake.output.record).parent,
        Path(inputs.record).parent,
        design.read_all(given["confounders"], inputs.designs, inputs.tests),
        Layers.of(inputs.samples, inputs.images, inputs.artifacts),
        kinds=given["kinds"],
        scores=given["scores"],
        coverage=given["coverage"],
        seed=given["seed"],
        about={
            "run": dict(snakemake.wildcards.items()),
            "classes": classes.names(files.read_table(inputs.samples)),
            "titles": given["titles"],
        },
    )
    print("{embedded} of {points} images were embedded.".format(**found))
