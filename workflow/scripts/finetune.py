"""Fine-tune and test one network."""

import gc

# Collecting garbage while PyTorch and Lightning are imported costs a second and finds none.
gc.disable()

from pathlib import Path

from sourcebench import design
from sourcebench.jobs import job

with job(snakemake.log):
    from sourcebench.training.data import Layers
    from sourcebench.training.finetuning import Outputs, Recipe, Run, finetune

    gc.freeze()
    gc.enable()
    run = {name: snakemake.params.run[name] for name in Run.__dataclass_fields__}
    names, files = snakemake.params.confounders, snakemake.output
    pixel = [Path(path) for path in snakemake.input.artifacts]
    finetune(
        Run(**run | {"p_art": float(run["p_art"]), "fold": int(run["fold"])}),
        Recipe.of(snakemake.params.training, snakemake.params.task, snakemake.threads),
        designs={
            name: design.read(path)
            for name, path in zip(names, snakemake.input.designs, strict=True)
        },
        layers=Layers(
            Path(snakemake.input.samples),
            Path(snakemake.input.images),
            {path.parent.name: path for path in pixel},
        ),
        weights=next((Path(path) for path in snakemake.input.weights), None),
        seed=snakemake.params.seed,
        outputs=Outputs(
            Path(files.predictions),
            Path(files.history),
            Path(files.record),
            next((Path(path) for path in files.checkpoint), None),
        ),
    )
