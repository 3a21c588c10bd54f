"""Say who is confounded and who is in which fold."""

from sourcebench import design, files
from sourcebench.jobs import job

with job(snakemake.log):
    task, splits, carrier = (snakemake.params[key] for key in ("task", "splits", "carrier"))
    common = {
        "seed": snakemake.params.seed,
        "name": snakemake.wildcards.task,
        "carrier": carrier and carrier[:2],
    }
    manifest = files.read_table(snakemake.input.manifest, text=carrier[:1] if carrier else ())
    if splits is None:
        table = design.build(
            manifest, folds=snakemake.params.folds, val_fraction=task["val_fraction"], **common
        )
    else:
        published = files.read_table(snakemake.input.splits)
        there = published["image_id"].isin(manifest["image_id"])
        table = design.from_published(published[there], manifest=manifest, **common)
        design.require_folds(table, snakemake.params.folds, snakemake.wildcards.task)
    if splits is None or splits.get("leaks") != "accept":
        design.check(table, snakemake.wildcards.task)
    files.write_csv(snakemake.output[0], table)
