"""Find the images in the user's own folder."""

from pathlib import Path

from sourcebench import files
from sourcebench.datasets.local import index_folder
from sourcebench.jobs import job

with job(snakemake.log):
    files.write_csv(snakemake.output[0], index_folder(Path(snakemake.params.path)))
