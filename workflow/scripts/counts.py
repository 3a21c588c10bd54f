"""Say how many images each task has, how many were left out, and what was odd about the files."""

import pandas as pd

from sourcebench import files
from sourcebench.jobs import job

with job(snakemake):
    inputs = snakemake.input
    rows = []
    for task, *paths in zip(
        snakemake.params.tasks, inputs.manifests, inputs.folders, inputs.files, strict=True
    ):
        row = {"task": task}
        for path in paths:
            row |= files.read_json(path)
        rows.append(row)
    table = pd.DataFrame(rows).set_index("task").fillna(0).astype(int)
    files.write_csv(snakemake.output[0], table.reset_index())
