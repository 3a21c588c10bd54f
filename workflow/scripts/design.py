"""Say who is confounded and who is in which fold."""

from sourcebench import design, files
from sourcebench.jobs import job

with job(snakemake.log):
    params, carrier = snakemake.params, snakemake.params.carrier
    common = {
        "seed": params.seed,
        "name": snakemake.wildcards.task,
        "carrier": carrier and carrier[:2],
    }
    manifest = files.read_table(snakemake.input.manifest, text=carrier[:1] if carrier else ())
    if not snakemake.input.get("splits"):
        table = design.build(
            manifest, folds=params.folds, val_fraction=params.val_fraction, **common
        )
    else:
        published = files.read_table(snakemake.input.splits)
        there = published["image_id"].isin(manifest["image_id"])
        table = design.from_published(published[there], manifest=manifest, **common)
        design.require_folds(table, params.folds, snakemake.wildcards.task)
    if not params.may_leak:
        design.check(table, snakemake.wildcards.task)
    files.write_csv(snakemake.output[0], table)
