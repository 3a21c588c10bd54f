"""Choose the images of a task."""

from sourcebench import files
from sourcebench.attributes import HELD_OUT
from sourcebench.datasets.base import build
from sourcebench.datasets.prepare import in_words, manifest
from sourcebench.jobs import job

with job(snakemake) as terminal:
    task = snakemake.params.task
    available = published = None
    if snakemake.input.get("available"):
        available = set(files.read_table(snakemake.input.available)["image_id"])
    if snakemake.input.get("splits"):
        published = files.read_table(snakemake.input.splits)
    table, counts = manifest(
        snakemake.wildcards.task,
        task,
        build(task["dataset"], snakemake.params.dataset).metadata(),
        seed=snakemake.params.seed,
        carrier=snakemake.params.carrier,
        available=available,
        published=published,
        apart={
            name: HELD_OUT.from_entry(entry).among for name, entry in task.get("apart", {}).items()
        },
    )
    for line in in_words(snakemake.wildcards.task, len(table), counts):
        print(f"  {line}", file=terminal)
    files.write_csv(snakemake.output.manifest, table)
    files.write_json(snakemake.output.counts, {"chosen": len(table), **counts})
