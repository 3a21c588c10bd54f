"""Choose the images of a task."""

from sourcebench import files
from sourcebench.attributes import ATTRIBUTES
from sourcebench.attributes.groups import groups
from sourcebench.datasets.base import build
from sourcebench.datasets.prepare import manifest
from sourcebench.jobs import job

with job(snakemake) as terminal:
    available = published = None
    if snakemake.input.get("available"):
        available = set(files.read_table(snakemake.input.available)["image_id"])
    if snakemake.input.get("splits"):
        published = files.read_table(snakemake.input.splits)
    attribute = snakemake.params.attribute
    table, counts = manifest(
        snakemake.wildcards.task,
        snakemake.params.task,
        build(snakemake.params.task["dataset"], snakemake.params.dataset).metadata(),
        seed=snakemake.params.seed,
        carrier=snakemake.params.carrier,
        available=available,
        published=published,
        derive=ATTRIBUTES.from_entry(attribute).added if attribute else None,
    )
    # Of no use yet, but nothing is to be trained for groups that there are not.
    groups(table, snakemake.params.subgroups, f"tasks.{snakemake.wildcards.task}.subgroups")
    print(
        f"  {snakemake.wildcards.task}: {len(table)} of {counts['candidates']} images chosen; "
        f"{counts['without_image']} of these are not on disk, and {counts['without_row']} on disk "
        "are not in the metadata",
        file=terminal,
    )
    if unknown := counts["without_findings"]:
        print(f"  {unknown} rows have no findings, and so no label", file=terminal)
    files.write_csv(snakemake.output.manifest, table)
    files.write_json(snakemake.output.counts, {"chosen": len(table), **counts})
