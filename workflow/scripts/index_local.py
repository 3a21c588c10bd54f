"""Find the images in the user's own folder."""

from pathlib import Path

from sourcebench import files
from sourcebench.datasets.base import build
from sourcebench.jobs import job

with job(snakemake) as terminal:
    dataset = build(snakemake.wildcards.dataset, snakemake.params.spec)
    found, odd = dataset.index(
        dataset.folder, Path(snakemake.params.folder), snakemake.threads, terminal
    )
    print(f"Found {len(found)} images; {odd}")
    files.write_csv(snakemake.output.available, found)
    files.write_json(snakemake.output.odd, odd)
