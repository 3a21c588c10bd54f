"""Write a scan of LIDC-IDRI and what its readers marked, to look at."""

from pathlib import Path

from sourcebench.datasets.base import build
from sourcebench.datasets.lidc.nifti import write_whole_scan
from sourcebench.jobs import job

with job(snakemake) as terminal:
    dataset = build(snakemake.wildcards.dataset, snakemake.params.spec)
    cache = Path(snakemake.params.folder)
    images = dataset.folder or cache / "images"
    found, _ = dataset.index(images, cache, snakemake.threads, terminal)
    write_whole_scan(int(snakemake.wildcards.scan), found, Path(snakemake.output.scan).parent)
