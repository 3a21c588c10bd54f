"""Our way to train: a run as a study makes it, through its own doors; and as it once was."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd
from torch import nn

from sourcebench.axes import Run
from sourcebench.models import build_network, network_of
from sourcebench.models.classifier import Classifier
from sourcebench.parameters import parameter
from sourcebench.sources.weights import write_weights
from sourcebench.training.finetuning import finetune
from sourcebench.training.runs import Outputs, Recipe
from sourcebench.training.transfer import FULL, Full, Transfer
from twin.images import Images
from twin.reference import NORMALISATION, Outcome

STARTS = ("random", "converted")
"""Our own draw; or Keras' backbone by our conversion, with our own draw of the head."""


@dataclass(frozen=True)
class AsBefore(Full):
    """Full fine-tuning from where runs started before fresh weights were drawn as in Keras.

    timm's draws, in which the last normalisation of each residual branch starts at γ = 0, and
    PyTorch's of a dense layer; batch normalisation takes a tenth of each batch.

    Args:
        arch: the architecture.
        start: one of `STARTS`.
    """

    title = "Full fine-tuning as before"

    arch: str = parameter("", help="architecture")
    start: str = parameter("random", help="where it starts", choices=STARTS)

    def prepare(self, network: Classifier, fresh: Callable[[], nn.Module]) -> None:
        """Draw the head anew, and the backbone too unless its weights came from a file."""
        network.head.reset_parameters()
        if self.start == "random":
            drawn = build_network(network_of(self.arch))
            network.backbone.load_state_dict(drawn.state_dict())


AsBefore.kind = "as_before"


def train(
    arch: str,
    images: Images,
    recipe: Recipe,
    seed: int,
    weights: Path | None,
    folder: Path,
    *,
    as_before: bool,
) -> Outcome:
    """Make a run: fine-tune, predict, write its files; and read those.

    Args:
        arch: a key of `networks.DIVISORS`.
        images: the task.
        recipe: how.
        seed: of the run.
        weights: Keras' `.weights.h5` to start from; None: a random start.
        folder: for the run's files.
        as_before: start as runs did before, with a batch normalisation of momentum 0.1.
    """
    source = "random" if weights is None else "converted"
    run = Run("twin", "none", source, arch, 0.0, 1)
    ours = None
    if weights is not None:
        ours = folder / "weights.safetensors"
        mean, std = map(list, (NORMALISATION.mean, NORMALISATION.std))
        entry = {"kind": "file", "path": str(weights), "mean": mean, "std": std}
        write_weights(source, entry, arch, ours, seed=seed, threads=recipe.threads)
    transfer: Transfer = FULL
    if as_before:
        transfer = AsBefore(arch, source)
        recipe = replace(recipe, batch_norm_momentum=0.1)
    outputs = Outputs(folder / "predictions.parquet", folder / "history.csv", folder / "run.json")
    record = finetune(
        run,
        recipe,
        designs={"none": images.design},
        layers=images.layers,
        weights=ours,
        seed=seed,
        outputs=outputs,
        transfer=transfer,
    )
    predictions = pd.read_parquet(outputs.predictions)
    history = pd.read_csv(outputs.history)[["epoch", "train_loss", "val_loss", "val_auroc"]]
    labels = predictions["label"].to_numpy(np.int64)
    logits = predictions[["logit_0", "logit_1"]].to_numpy(np.float64)
    return Outcome(history, int(record["best_epoch"]), labels, logits)
