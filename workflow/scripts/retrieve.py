"""Get the images that the tasks need; the user's own have been found."""

from pathlib import Path

import pandas as pd

from sourcebench import files
from sourcebench.datasets.base import build
from sourcebench.datasets.origins import retrieve
from sourcebench.jobs import job

with job(snakemake) as terminal:
    found = None
    if snakemake.input.found:
        table, counts = snakemake.input.found
        found = files.read_table(table), files.read_json(counts)
    wanted = pd.concat([files.read_table(path) for path in snakemake.input.manifests])
    index, odd = retrieve(
        build(snakemake.wildcards.dataset, snakemake.params.spec),
        wanted.drop_duplicates("image_id", ignore_index=True),
        Path(snakemake.params.folder),
        snakemake.threads,
        terminal,
        found,
    )
    files.write_csv(snakemake.output.index, index)
    files.write_json(snakemake.output.odd, odd)
