"""Describe the target datasets, as the paper's Table 1 does."""

from sourcebench import design, experiment, files
from sourcebench.evaluation.tables import Target, table1
from sourcebench.jobs import job

with job(snakemake.log):
    config = snakemake.params.config
    first = {}
    for (task, _), path in zip(snakemake.params.designs, snakemake.input.designs, strict=True):
        first.setdefault(task, design.read(path))
    targets = [
        Target(
            task=config["tasks"][task]["title"],
            confounders=[
                experiment.build_confounder(config, name).title
                for name in config["tasks"][task]["confounders"]
            ],
            design=table,
            image_size=config["tasks"][task]["input_size"],
            batch_size=config["tasks"][task]["batch_size"],
        )
        for task, table in first.items()
    ]
    files.write_csv(snakemake.output[0], table1(targets))
