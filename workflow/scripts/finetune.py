"""Fine-tune and test one network."""

import gc

# Collecting garbage while PyTorch and Lightning are imported costs a second and finds none.
gc.disable()

from pathlib import Path

from sourcebench import design
from sourcebench.jobs import job

with job(snakemake) as terminal:
    from sourcebench.training.finetuning import Layers, Normalisation, Run, finetune
    from sourcebench.training.methods import METHODS
    from sourcebench.training.runs import Kept, Measured, Outputs, Recipe
    from sourcebench.training.transfer import TRANSFERS

    gc.freeze()
    gc.enable()
    inputs, given = snakemake.input, snakemake.params.given
    record = finetune(
        Run.of(given["run"]),
        Recipe.of(given["training"], given["batch"], snakemake.threads),
        designs=design.read_all(given["confounders"], inputs.designs, inputs.tests),
        layers=Layers.of(inputs.samples, inputs.images, inputs.artifacts),
        weights=next(map(Path, inputs.weights), None),
        seed=given["seed"],
        transfer=TRANSFERS.from_entry(given["transfer"]),
        method=METHODS.from_entry(given["method"]),
        structure=given["structure"],
        normalisation=Normalisation(*given["normalisation"]),
        outputs=Outputs.of(snakemake.output, keep=given["keep"], explored=given["explored"]),
        trained_by=given["trained_by"],
        begun=Kept.of(inputs.begun, given["begun_by"]),
        measured=Measured(**given["measured"]),
    )
    effort = "{epochs} epochs in {seconds:.0f} s, the best was {best_epoch}".format(**record)
    print(f"  {' '.join(given['run'].values())}: {effort}", file=terminal)
