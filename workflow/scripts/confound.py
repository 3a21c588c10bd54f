"""Write one layer of a confounder: every image with its artifact, or without it."""

from pathlib import Path

from sourcebench import confounders, files
from sourcebench.confounders.apply import write_layer
from sourcebench.jobs import job

with job(snakemake.log) as terminal:
    write_layer(
        confounders.from_entry(snakemake.params.confounder),
        snakemake.wildcards.layer,
        files.load_array(snakemake.input.native),
        list(files.read_table(snakemake.input.samples)["image_id"]),
        input_size=snakemake.params.task["input_size"],
        resize_method=snakemake.params.task.get("resize", "nearest"),
        seed=snakemake.params.seed,
        path=Path(snakemake.output[0]),
        threads=snakemake.threads,
        terminal=terminal,
    )
