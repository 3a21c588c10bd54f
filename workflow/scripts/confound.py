"""Write one layer of an artifact: every image with it, or without it."""

import os
from pathlib import Path

from sourcebench import files
from sourcebench.artifacts import ARTIFACTS, write_layer
from sourcebench.artifacts.record import record_of
from sourcebench.jobs import job

# Threads draw images side by side, each on its own; PyTorch, if it is needed, comes later.
os.environ["OMP_NUM_THREADS"] = "1"

with job(snakemake) as terminal:
    artifact = ARTIFACTS.from_entry(snakemake.params.artifact)
    record = record_of(artifact, snakemake.wildcards.layer)
    samples = files.read_table(snakemake.input.samples)
    tests = (samples["role"] == "test").to_numpy().nonzero()[0]
    print(f"Computed by {record['engine']}.")
    write_layer(
        artifact,
        snakemake.wildcards.layer,
        files.load_array(snakemake.input.native),
        list(samples["image_id"]),
        rows=tests.tolist() if snakemake.params.tests_alone else None,
        input_size=snakemake.params.input_size,
        resize_method=snakemake.params.resize,
        seed=snakemake.params.seed,
        path=Path(snakemake.output[0]),
        threads=snakemake.threads,
        terminal=terminal,
    )
    files.write_json(snakemake.output.record, record)
