"""The trainer of a recipe: which of its epochs is tested, and what ends the training."""

import logging
import time
from pathlib import Path
from typing import Any, cast

import pytorch_lightning as lightning
import torch
from pytorch_lightning.callbacks import Callback
from pytorch_lightning.plugins.environments import LightningEnvironment  # type: ignore[attr-defined]

from sourcebench import devices
from sourcebench.training.module import BestWeights, History, LastWeights, Patience
from sourcebench.training.runs import Recipe

# What Lightning says of every trainer is of no use in a log of a thousand runs.
logging.getLogger("pytorch_lightning").setLevel(logging.WARNING)
logging.getLogger("lightning_fabric").setLevel(logging.WARNING)

MONITORS = {
    "loss": ("val_loss", "min"),
    "auroc": ("val_auroc", "max"),
    "auc_keras": ("val_auc_keras", "max"),
}


def _best(recipe: Recipe, first: int) -> tuple[LastWeights, list[Callback]]:
    monitor, mode = MONITORS[recipe.monitor]
    ending = Patience(monitor, mode, recipe.patience, first)
    return BestWeights(monitor, mode, first), [ending]


def _last(_: Recipe, first: int) -> tuple[LastWeights, list[Callback]]:
    return LastWeights(), []


CHOICES = {"best": _best, "last": _last}
"""Which weights are tested → what leaves them in the network, and what ends the training."""


def trainer_of(
    recipe: Recipe, device: torch.device, folder: Path, first: int = 1
) -> tuple[Any, History, LastWeights]:
    """Return the Lightning trainer of a recipe, with the callbacks that record and choose.

    Args:
        recipe: how to fine-tune.
        device: where.
        folder: Lightning's, should it want to write something.
        first: the first epoch, from 1 on, that may be the best and that patience counts from.
    """
    # Deterministic mode also fills all fresh memory, a tenth of a step; nothing here reads
    # memory before writing it, so that the predictions are the same without.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]
    history, (chosen, ending) = History(time.monotonic), CHOICES[recipe.choose](recipe, first)
    trainer = lightning.Trainer(
        max_epochs=recipe.epochs,
        accelerator=device.type,
        devices=1 if device.index is None else [device.index],
        precision=cast(Any, devices.precision(recipe.precision, device)),
        callbacks=[chosen, history, *ending],
        gradient_clip_val=recipe.clip,
        # An operation that a card has in no repeatable form is a warning in the log.
        deterministic="warn",
        plugins=[LightningEnvironment()],  # a job is one process, on a cluster too
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        num_sanity_val_steps=0,
        default_root_dir=folder,
    )
    return trainer, history, chosen
