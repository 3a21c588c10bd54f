"""Explore one run: its latent space, its concepts, and its failures."""

import os
from pathlib import Path

# The sums of several threads may differ in their last bits, and t-SNE carries that on.
os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

from sourcebench import classes, design, files
from sourcebench.explorer.explore import explore
from sourcebench.jobs import job
from sourcebench.training.data import Layers

with job(snakemake):
    inputs, given = snakemake.input, snakemake.params.given
    designs = map(design.read, inputs.designs, inputs.tests)
    drawn = {Path(path).parent.name: Path(path) for path in inputs.artifacts}
    found = explore(
        Path(snakemake.output.record).parent,
        Path(inputs.record).parent,
        dict(zip(given["confounders"], designs, strict=True)),
        Layers(Path(inputs.samples), Path(inputs.images), drawn),
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
