"""Fine-tune and test one network."""

import gc

# Collecting garbage while PyTorch and Lightning are imported costs a second and finds none.
gc.disable()

from pathlib import Path

from sourcebench import design, experiment
from sourcebench.jobs import job

with job(snakemake.log) as terminal:
    from sourcebench.sources import Normalisation
    from sourcebench.training import transfer
    from sourcebench.training.data import Layers
    from sourcebench.training.finetuning import Outputs, Recipe, Run, finetune

    gc.freeze()
    gc.enable()
    given, params = snakemake.input, snakemake.params
    keep = experiment.keeps_checkpoint(snakemake.config, params.run)
    artifacts = {Path(path).parent.name: Path(path) for path in given.artifacts}
    record = finetune(
        Run.of(params.run),
        # The whole entry: params has what decides the result, where it runs is beside that.
        Recipe.of(snakemake.config["training"], params.task, snakemake.threads),
        designs=dict(zip(params.confounders, map(design.read, given.designs), strict=True)),
        layers=Layers(Path(given.samples), Path(given.images), artifacts),
        weights=next(map(Path, given.weights), None),
        seed=params.seed,
        transfer=transfer.from_entry(params.transfer),
        structure=params.structure,
        normalisation=Normalisation(*params.normalisation),
        outputs=Outputs.of(snakemake.output, keep=keep),
        trained_by=params.trained_by,
    )
    effort = "{epochs} epochs in {seconds:.0f} s, the best was {best_epoch}".format(**record)
    print(f"  {params.name}: {effort}", file=terminal)
