"""Write a scan of LIDC-IDRI and what its readers marked, to look at."""

from pathlib import Path

from sourcebench.datasets.base import build
from sourcebench.datasets.lidc.nifti import write_whole_scan
from sourcebench.jobs import job

with job(snakemake) as terminal:
    images = Path(snakemake.params.spec.get("path") or f"{snakemake.params.folder}/images")
    found, _ = build(snakemake.wildcards.dataset, snakemake.params.spec).index(
        images, Path(snakemake.params.folder), snakemake.threads, terminal
    )
    write_whole_scan(int(snakemake.wildcards.scan), found, Path(snakemake.output.scan).parent)
