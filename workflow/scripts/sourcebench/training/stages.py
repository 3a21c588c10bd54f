"""The stages of a training after the first: further epochs of what a method says."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import pytorch_lightning as lightning
import torch
from torch import Tensor, nn

from sourcebench.seeds import seed_of
from sourcebench.training.data import RunData
from sourcebench.training.methods import Stage
from sourcebench.training.module import History, LastWeights
from sourcebench.training.runs import Recipe

TrainerOf = Callable[[Recipe], tuple[Any, History, LastWeights]]


class StageTuner(lightning.LightningModule):
    """A stage's loss, minimised by its optimiser. Logs `train_loss`, and `val_loss` of all images.

    Args:
        modules: the networks that the stage reads or trains.
        stage: what is done.
    """

    def __init__(self, modules: Sequence[nn.Module], stage: Stage) -> None:
        super().__init__()
        self.networks = nn.ModuleList(modules)
        self.stage = stage
        self._losses: list[tuple[Tensor, int]] = []

    def on_train_epoch_start(self) -> None:
        """Put each module into the mode that the stage wants."""
        self.stage.settle()

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return the stage's."""
        return self.stage.optimiser()

    def training_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> Tensor:
        """Return the loss of a batch of images, labels and groups."""
        loss = self.stage.loss(*batch)
        self.log("train_loss", loss, on_step=False, on_epoch=True, batch_size=len(batch[0]))
        return loss

    def validation_step(self, batch: tuple[Tensor, Tensor, Tensor], _: int) -> None:
        """Keep the batch's loss until the epoch ends."""
        self._losses.append((self.stage.loss(*batch), len(batch[0])))

    def on_validation_epoch_end(self) -> None:
        """Log the mean loss of the whole validation set."""
        total = sum(float(loss) * count for loss, count in self._losses)
        self.log("val_loss", total / sum(count for _, count in self._losses))
        self._losses.clear()


def train_stages(
    stages: Sequence[Stage],
    modules: Sequence[nn.Module],
    data: RunData,
    recipe: Recipe,
    trainer_of: TrainerOf,
    seed: int,
    before: Sequence[dict[str, float]],
) -> list[dict[str, float]]:
    """Train stage after stage, each left with the weights that `recipe.choose` says.

    A stage draws all its random numbers from a seed of its own: it is the same whether the network
    that it starts from was trained just now, or before. No stage ends early.

    Args:
        stages: what is done, one after the other.
        modules: the networks that they read or train.
        data: the run's; order and augmentation are drawn anew.
        recipe: of the run.
        trainer_of: returns the trainer of a recipe, and its callbacks.
        seed: the run's.
        before: the epochs of the first stage, see `module.History`.

    Returns:
        The stages' epochs, which go on counting. Nobody measures an AUROC in them.
    """
    rows: list[dict[str, float]] = []
    for number, stage in enumerate(stages, 1):
        own = seed_of(seed, "stage", number)
        lightning.seed_everything(own % 2**32, verbose=False)
        data.seed(own)
        stage.begin()
        whole = dataclasses.replace(
            recipe, epochs=stage.epochs, patience=stage.epochs, monitor="loss"
        )
        trainer, history, _ = trainer_of(whole)
        trainer.fit(StageTuner(modules, stage).train(), datamodule=data)
        last = [*before, *rows][-1:]
        count, seconds = (last[0]["epoch"], last[0]["seconds"]) if last else (0, 0.0)
        rows += [
            {**row, "epoch": count + row["epoch"], "seconds": round(seconds + row["seconds"], 3)}
            for row in history.rows
        ]
    return rows
