"""Training steps of ResNet50: our fine-tuning loop, and the same step on one fixed batch.

The loop is that of `sourcebench.training`: its trainer, its data module with
augmentation and normalisation, its network, its optimiser. Steps are timed from the end of one to
the end of a later one, so that whatever happens between two steps is in the time.
"""

import contextlib
import io
import statistics
import tempfile
import time
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

import common  # puts the library on the path
import pytorch_lightning as lightning
import torch
from torch import Tensor, nn
from torch.nn import functional

from sourcebench import devices
from sourcebench.models import build_backbone
from sourcebench.models.classifier import Classifier
from sourcebench.sources import Normalisation
from sourcebench.training.augmentation import Augmentation
from sourcebench.training.data import RunData
from sourcebench.training.module import FineTuner
from sourcebench.training.runs import Recipe
from sourcebench.training.trainer import trainer_of

__all__ = ["FineTuning", "FixedBatch", "Stopwatch", "Time", "common", "median", "network", "recipe"]


class Time(NamedTuple):
    """Seconds that a step took."""

    clock: float
    processors: float  # of all threads of this process together


def median(times: list[Time]) -> Time:
    """Return the medians of the clock and of the processors."""
    return Time(*map(statistics.median, zip(*times, strict=True)))


def recipe(batch_size: int, *, accelerator: str, precision: str, threads: int) -> Recipe:
    """Return the paper's recipe, for one epoch."""
    return Recipe(
        epochs=1,
        patience=30,
        learning_rate=1e-5,
        dropout=0.5,
        batch_size=batch_size,
        monitor="loss",
        augmentation=Augmentation(),
        precision=precision,
        accelerator=accelerator,
        threads=threads,
    )


def network() -> nn.Module:
    """Return a ResNet50 with random weights and two logits."""
    return Classifier(build_backbone("resnet50"), dropout=0.5)


class Stopwatch(lightning.Callback):
    """Times the steps after the first `warm` ones: on a CPU each, on a card all together.

    Waiting for a card after each step would keep the next step's work from queueing meanwhile.
    """

    def __init__(self, device: torch.device, warm: int, steps: int) -> None:
        self.device, self.warm, self.last = device, warm, warm + steps
        self.done = 0
        self._marks: list[tuple[int, float, float]] = []

    def step(self) -> None:
        """Say that a step has ended."""
        self.done += 1
        if self.device.type == "cuda":
            if self.done not in (self.warm, self.last):
                return
            torch.cuda.synchronize(self.device)
        if self.done >= self.warm:
            self._marks.append((self.done, time.perf_counter(), time.process_time()))

    def on_train_batch_end(self, *_: Any) -> None:
        self.step()

    def times(self) -> list[Time]:
        """Return the time of each step, or of all of them together."""
        return [
            Time(
                (after[1] - before[1]) / (after[0] - before[0]),
                (after[2] - before[2]) / (after[0] - before[0]),
            )
            for before, after in pairwise(self._marks)
        ]


class FineTuning:
    """The fine-tuning loop, as a run has it.

    Args:
        images: N×H×W×C, uint8, at least (warm + steps) × batch size of them.
        recipe: how to fine-tune.
        device: where.
        warm: steps at the start of each round that are not timed.
    """

    def __init__(self, images: Tensor, recipe: Recipe, device: torch.device, warm: int = 1) -> None:
        self.images, self.recipe, self.device, self.warm = images, recipe, device, warm
        self.model = FineTuner(
            network().to(memory_format=torch.channels_last), recipe.learning_rate
        )

    def data(self, steps: int) -> RunData:
        """Return as many training images as the steps need; two others are for validation."""
        count = steps * self.recipe.batch_size
        return RunData(
            self.images[: count + 2],
            torch.arange(count + 2) % 2,
            torch.arange(count + 2) >= count,
            Normalisation(),
            self.recipe.augmentation,
            self.recipe.batch_size,
            seed=0,
        )

    def run(self, steps: int) -> list[Time]:
        """Train, and return the time of each step."""
        data, watch = self.data(self.warm + steps), Stopwatch(self.device, self.warm, steps)
        with (
            tempfile.TemporaryDirectory() as folder,
            contextlib.redirect_stdout(io.StringIO()),  # one line per epoch
            contextlib.redirect_stderr(io.StringIO()),  # what Lightning thinks of short epochs
        ):
            trainer, *_ = trainer_of(self.recipe, self.device, Path(folder))
            trainer.callbacks.append(watch)
            data.to(self.device)
            trainer.fit(self.model, datamodule=data)
        return watch.times()


class FixedBatch:
    """The same step, on one batch that lies on the device as the network takes it.

    Args:
        loop: whose step it is.
    """

    def __init__(self, loop: FineTuning) -> None:
        self.recipe, self.device, self.warm = loop.recipe, loop.device, loop.warm
        data = loop.data(1)
        data.to(self.device)
        self.batch = data.batch(torch.arange(self.recipe.batch_size), augment=True)
        model = FineTuner(network(), self.recipe.learning_rate).to(self.device)
        self.network = model.network.to(memory_format=torch.channels_last).train()
        self.optimiser = model.configure_optimizers()
        self.mixed = devices.precision(self.recipe.precision, self.device) == "bf16-mixed"

    def step(self) -> None:
        """Take one training step."""
        images, labels = self.batch
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.mixed):
            loss = functional.cross_entropy(self.network(images), labels)
        self.optimiser.zero_grad()
        loss.backward()
        self.optimiser.step()

    def run(self, steps: int) -> list[Time]:
        """Train, and return the time of each step."""
        torch.use_deterministic_algorithms(True)  # as the trainer has it
        watch = Stopwatch(self.device, self.warm, steps)
        for _ in range(self.warm + steps):
            self.step()
            watch.step()
        return watch.times()
