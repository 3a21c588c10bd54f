"""How one run is made: its recipe, and its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sourcebench.training.augmentation import Augmentation


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
class Measured:
    """What is measured of a trained network besides its logits.

    Args:
        measures: names in `training.measures.MEASURES`.
        passes: how many times dropout is sampled, where that is measured.
    """

    measures: Sequence[str] = ()
    passes: int = 1


NOTHING = Measured()


@dataclass(frozen=True)
class Outputs:
    """Where a run's results go.

    Args:
        predictions: what it says of its test sets.
        history: what its training was like.
        record: how it was made.
        checkpoint: the network, if it is to be kept.
        validation: what it says of the images that it validates on, if that is wanted.
        features: those of its test images, if its latent space is to be explored.
    """

    predictions: Path
    history: Path
    record: Path
    checkpoint: Path | None = None
    validation: Path | None = None
    features: Path | None = None

    @classmethod
    def of(cls, paths: Any, *, keep: bool, explored: bool = False) -> Outputs:
        """Make it from a rule's outputs.

        A checkpoint is none of them: Snakemake would delete it before the run that it can spare.
        Nor are features, which some runs of a study have and others have not.
        """
        record, validation = Path(paths.record), getattr(paths, "validation", None)
        return cls(
            Path(paths.predictions),
            Path(paths.history),
            record,
            record.with_name("checkpoint.safetensors") if keep else None,
            Path(validation) if validation else None,
            record.with_name("features.npz") if explored else None,
        )
