"""Decode a task's images."""

from pathlib import Path

import pandas as pd

from sourcebench import files
from sourcebench.datasets.prepare import write_arrays
from sourcebench.jobs import job

with job(snakemake.log):
    samples = pd.read_csv(snakemake.input.manifest)
    index = pd.read_csv(snakemake.input.index).set_index("image_id")["path"]
    write_arrays(
        samples,
        index.to_dict(),
        size=snakemake.params.task["input_size"],
        method=snakemake.params.task.get("resize", "nearest"),
        images=Path(snakemake.output.images),
        native=Path(snakemake.output.native),
        keep_native=snakemake.params.keep_native,
        threads=snakemake.threads,
    )
    files.write_csv(snakemake.output.samples, samples)
