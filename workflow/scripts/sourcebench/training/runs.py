"""How one run is made: its recipe, and its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sourcebench.training.augmentation import Augmentation
from sourcebench.training.optimiser import Descent

LATER = ("optimiser", "weight_decay", "schedule", "clip", "choose")
"""Keys that a config may leave out, and has the values of `Recipe` then."""

CHECKPOINT = "checkpoint.safetensors"
"""The name of a kept network, beside the record of its run."""


@dataclass(frozen=True)
class Recipe:
    """How to fine-tune (Source Matters, section 2.2 and Table 1).

    Args:
        epochs: most epochs; 0 tests the network as it starts.
        patience: epochs without improvement after which training ends.
        learning_rate: of the optimiser.
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
        optimiser: 'keras_adam' or 'adam', see `Descent`, as the next two.
        weight_decay: of all that is trained.
        schedule: 'constant' or 'cosine'.
        clip: the longest gradient of all that is trained (its L2 norm): one that is longer is made
            as long as this; None: as it is.
        choose: which epoch's weights are tested, 'best' or 'last'. With the latter training never
            ends early.
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
    optimiser: str = "keras_adam"
    weight_decay: float = 0.0
    schedule: str = "constant"
    clip: float | None = None
    choose: str = "best"

    @property
    def descent(self) -> Descent:
        """The optimiser, and its schedule."""
        return Descent(self.optimiser, self.weight_decay, self.schedule)

    @classmethod
    def of(cls, training: Mapping[str, Any], task: Mapping[str, Any], threads: int) -> Recipe:
        """Make the recipe of a task.

        Args:
            training: what the config's `training` says for it, with what the task's own changes.
            task: its `batch_size` and `monitor`.
            threads: CPU threads.
        """
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
            **{key: training[key] for key in LATER if key in training},
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
            record.with_name(CHECKPOINT) if keep else None,
            Path(validation) if validation else None,
            record.with_name("features.npz") if explored else None,
        )
