"""Say how many images each task has, and how many were left out."""

import pandas as pd

from sourcebench import files
from sourcebench.jobs import job

with job(snakemake.log):
    rows = [
        {"task": task, **files.read_json(path)}
        for task, path in zip(snakemake.params.tasks, snakemake.input, strict=True)
    ]
    files.write_csv(snakemake.output[0], pd.DataFrame(rows))
