"""Get the images that the tasks need."""

from pathlib import Path

import pandas as pd

from sourcebench import files
from sourcebench.datasets.base import build
from sourcebench.jobs import job
from sourcebench.origins import retrieve

with job(snakemake.log) as terminal:
    wanted = pd.concat([files.read_table(path) for path in snakemake.input.manifests])
    index, odd = retrieve(
        build(snakemake.wildcards.dataset, snakemake.params.spec),
        wanted.drop_duplicates("image_id", ignore_index=True),
        Path(snakemake.params.folder),
        snakemake.threads,
        terminal,
    )
    files.write_csv(snakemake.output.index, index)
    files.write_json(snakemake.output.odd, odd)
