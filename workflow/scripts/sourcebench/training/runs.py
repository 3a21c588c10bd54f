"""How one run is made: its recipe, and its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sourcebench.training.augmentation import Augmentation

CHECKPOINT = "checkpoint.safetensors"
"""The name of a kept network, beside the record of its run."""


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune (Source Matters, section 2.2 and Table 1).

    Args:
        epochs: most epochs; 0 tests the network as it starts.
        patience: epochs without improvement after which training ends.
        learning_rate: of Adam.
        dropout: before the linear head.
        batch_size: images per step.
        monitor: 'loss', 'auroc' or 'auc_keras' of the validation set, by which the best epoch is
            chosen.
        augmentation: of the training images.
        precision: 'auto', 'bf16' or 'fp32'.
        accelerator: 'auto', 'cpu' or 'gpu'.
        threads: CPU threads.
        batch_norm_momentum: the share that a batch has in batch normalisation's running mean and
            variance, as in PyTorch; 0.01 is what Keras calls 0.99.
    """

    epochs: int
    patience: int
    learning_rate: float
    dropout: float
    batch_size: int
    monitor: str
    augmentation: Augmentation
    precision: str = "auto"
    accelerator: str = "auto"
    threads: int = 1
    batch_norm_momentum: float = 0.01

    @classmethod
    def of(cls, training: Mapping[str, Any], task: Mapping[str, Any], threads: int) -> Recipe:
        """Make the recipe of a task from the config's `training` and the task's part."""
        return cls(
            epochs=training["epochs"],
            patience=training["patience"],
            learning_rate=float(training["learning_rate"]),
            dropout=training["dropout"],
            batch_size=task["batch_size"],
            monitor=task["monitor"],
            augmentation=Augmentation(**training["augmentation"]),
            precision=training["precision"],
            accelerator=training["accelerator"],
            threads=threads,
            batch_norm_momentum=training["batch_norm_momentum"],
        )


@dataclass(frozen=True)
class Kept:
    """A network that another run may have kept.

    Args:
        path: its checkpoint.
        trained_by: a digest of all that has to have decided it.
    """

    path: Path
    trained_by: str

    @classmethod
    def of(cls, records: Sequence[str], trained_by: str) -> Kept | None:
        """Make it from a rule's input: the record of the run, beside which it lies, or nothing."""
        return next((cls(Path(each).with_name(CHECKPOINT), trained_by) for each in records), None)


@dataclass(frozen=True)
class Outputs:
    """Where a run's results go; `checkpoint` only if the network is to be kept."""

    predictions: Path
    history: Path
    record: Path
    checkpoint: Path | None = None

    @classmethod
    def of(cls, paths: Any, *, keep: bool) -> Outputs:
        """Make it from a rule's outputs.

        A checkpoint is none of them: Snakemake would delete it before the run that it can spare.
        """
        record = Path(paths.record)
        checkpoint = record.with_name(CHECKPOINT) if keep else None
        return cls(Path(paths.predictions), Path(paths.history), record, checkpoint)
