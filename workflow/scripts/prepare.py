"""Decode a task's images."""

from pathlib import Path

from sourcebench import files
from sourcebench.datasets.arrays import write_arrays
from sourcebench.datasets.base import build
from sourcebench.imaging import Frame
from sourcebench.jobs import job

with job(snakemake):
    frame = snakemake.params.frame
    samples = files.read_table(snakemake.input.manifest)
    index = files.read_table(snakemake.input.index).set_index("image_id")["path"]
    odd = write_arrays(
        samples,
        index.to_dict(),
        build(snakemake.params.name, snakemake.params.dataset).image,
        size=snakemake.params.input_size,
        method=snakemake.params.resize,
        images=Path(snakemake.output.images),
        native=Path(snakemake.output.native),
        keep_native=snakemake.params.keep_native,
        channels=snakemake.params.channels,
        frame=frame and Frame(*frame),
        threads=snakemake.threads,
    )
    for remark, names in odd.items():
        print(f"{len(names)} images with {remark}: {', '.join(names)}")
    files.write_csv(snakemake.output.samples, samples)
    files.write_json(snakemake.output.odd, {remark: len(names) for remark, names in odd.items()})
