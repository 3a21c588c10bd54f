"""Choose the images of a task."""

from sourcebench import files
from sourcebench.attributes import HELD_OUT
from sourcebench.datasets.base import build
from sourcebench.datasets.prepare import manifest
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
    print(
        f"  {snakemake.wildcards.task}: {len(table)} of {counts['candidates']} images chosen; "
        f"{counts['without_image']} of these are not on disk, and {counts['without_row']} on disk "
        "are not in the metadata",
        file=terminal,
    )
    if unknown := counts["without_findings"]:
        print(f"  {unknown} rows have no findings, and so no label", file=terminal)
    if target := counts.get("target"):
        print(
            f"  {target} of them are held out of the training for shifts, and so are "
            f"{counts['test_of_target_patients']} test images of the same patients; of "
            f"{counts['held_out_unknown']} it is not known, and they are left out",
            file=terminal,
        )
    files.write_csv(snakemake.output.manifest, table)
    files.write_json(snakemake.output.counts, {"chosen": len(table), **counts})
