"""Say who is confounded, who is in which fold, and which images each test set has."""

from sourcebench import design, files
from sourcebench.design import published
from sourcebench.jobs import job

with job(snakemake):
    params, carrier = snakemake.params, snakemake.params.carrier
    task, confounder = snakemake.wildcards.task, snakemake.wildcards.confounder
    common = {
        "seed": params.seed,
        "name": task,
        "confounder": confounder,
        "carrier": carrier and carrier[:2],
        "shifts": [design.Shifted(*shift) for shift in params.shifts],
    }
    text = ("class", *carrier[:1]) if carrier else ("class",)
    manifest = files.read_table(snakemake.input.manifest, text=text)
    if not snakemake.input.get("splits"):
        made = design.build(
            manifest,
            folds=params.folds,
            val_fraction=params.val_fraction,
            confounded=design.named(manifest, params.confounded, task),
            **common,
        )
    else:
        splits = files.read_table(snakemake.input.splits)
        there = splits["image_id"].isin(manifest["image_id"])
        made = published.build(splits[there], manifest=manifest, **common)
        published.require_folds(made.images, params.folds, task)
    if not params.may_leak:
        design.check(made, task)
    files.write_csv(snakemake.output.images, made.images)
    files.write_csv(snakemake.output.tests, made.tests)
