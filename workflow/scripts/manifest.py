"""Choose the images of a task."""

from sourcebench import files
from sourcebench.attributes import ATTRIBUTES, HELD_OUT
from sourcebench.attributes.groups import groups
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
    attribute = snakemake.params.attribute
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
        derive=ATTRIBUTES.from_entry(attribute).added if attribute else None,
    )
    # Of no use yet, but nothing is to be trained for groups that there are not.
    groups(table, snakemake.params.subgroups, f"tasks.{snakemake.wildcards.task}.subgroups")
    for line in in_words(snakemake.wildcards.task, len(table), counts):
        print(f"  {line}", file=terminal)
    files.write_csv(snakemake.output.manifest, table)
    files.write_json(snakemake.output.counts, {"chosen": len(table), **counts})
