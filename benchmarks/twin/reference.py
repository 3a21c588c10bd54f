"""The reference's way to train: Keras' generator of images, its Adam, its early stopping."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import numpy.typing as npt
import pandas as pd
from keras.src.legacy.preprocessing.image import ImageDataGenerator

from sourcebench.evaluation.metrics import METRICS
from sourcebench.sources import Normalisation
from sourcebench.training.augmentation import Augmentation
from sourcebench.training.runs import Recipe
from twin.images import Images
from twin.networks import keras_classifier, save_backbone

Floats = npt.NDArray[np.float32]
TINY = np.finfo(np.float32).tiny
NORMALISATION = Normalisation()  # the same for both sides, and for random and converted weights


@dataclass(frozen=True)
class Outcome:
    """What a training left.

    Args:
        history: `epoch` (from 1), `train_loss`, `val_loss`, `val_auroc`.
        best_epoch: the epoch whose weights were put back.
        labels: of the test set, N, 0 or 1.
        logits: of the test set, N×2.
    """

    history: pd.DataFrame
    best_epoch: int
    labels: npt.NDArray[np.int64]
    logits: npt.NDArray[np.float64]

    def metric(self, name: str) -> float:
        """Return a metric of the test set, a name in `METRICS`."""
        return METRICS.get(name)(self.labels, self.logits)


def colours(pixels: npt.NDArray[np.uint8]) -> Floats:
    """Return grey images N×H×W as the reference's files are read: N×H×W×3, [0, 255]."""
    return np.repeat(pixels[..., None], 3, axis=-1).astype(np.float32)


def normalised(images: Floats) -> Floats:
    """Return N×H×W×3, or one of them, as the network takes it."""
    mean, std = np.array(NORMALISATION.mean), np.array(NORMALISATION.std)
    return ((images / 255 - mean) / std).astype(np.float32)


def generator_of(augmentation: Augmentation | None) -> Any:
    """Return Keras' generator with the reference's ranges; None: it normalises and no more."""
    if augmentation is None:
        return ImageDataGenerator(preprocessing_function=normalised)
    return ImageDataGenerator(
        rotation_range=augmentation.rotation,
        width_shift_range=augmentation.shift,
        height_shift_range=augmentation.shift,
        shear_range=augmentation.shear,
        zoom_range=augmentation.zoom,
        fill_mode="nearest",
        preprocessing_function=normalised,
    )


def one_hot(labels: npt.NDArray[np.int64]) -> Floats:
    """Return N×2, as categorical cross-entropy takes them."""
    return np.eye(2, dtype=np.float32)[labels]


class Watch(keras.callbacks.Callback):
    """Note each epoch, with the AUROC of the validation set."""

    def __init__(self, images: Floats, labels: npt.NDArray[np.int64], batch_size: int) -> None:
        super().__init__()
        self.images, self.labels, self.batch_size = images, labels, batch_size
        self.rows: list[dict[str, float]] = []

    def on_epoch_end(self, epoch: int, logs: dict[str, float] | None = None) -> None:
        losses = logs or {}
        logits = logits_of(self.model, self.images, self.batch_size)
        row = {"epoch": epoch + 1, "train_loss": losses["loss"], "val_loss": losses["val_loss"]}
        self.rows.append(row | {"val_auroc": METRICS.get("auroc")(self.labels, logits)})


def logits_of(model: Any, images: Floats, batch_size: int) -> npt.NDArray[np.float64]:
    """Return the logarithms of a classifier's probabilities, N×2: logits up to a constant."""
    probabilities = model.predict(images, batch_size=batch_size, verbose=0)
    return np.log(np.maximum(probabilities, TINY).astype(np.float64))


def train(
    arch: str,
    images: Images,
    recipe: Recipe,
    seed: int,
    weights: Path,
) -> Outcome:
    """Draw a network in Keras, save its backbone, and train it by the reference's recipe.

    Args:
        arch: a key of `networks.DIVISORS`.
        images: the task.
        recipe: how; Keras' batch normalisation keeps its own momentum, 0.99.
        seed: of the weights, the order, the augmentation and the dropout.
        weights: the `.weights.h5` that takes the backbone as it starts.
    """
    (pixels, labels), (held, held_labels), (tests, test_labels) = map(
        images.part, ("train", "val", "test")
    )
    keras.utils.set_random_seed(seed)
    model = keras_classifier(arch, pixels.shape[1], recipe.dropout, recipe.learning_rate)
    save_backbone(model, weights)
    size = recipe.batch_size

    def stream(part: Any, targets: Any, augmentation: Augmentation | None) -> Any:
        return generator_of(augmentation).flow(
            colours(part),
            one_hot(targets),
            batch_size=size,
            shuffle=augmentation is not None,
            seed=seed,
        )

    watch = Watch(normalised(colours(held)), held_labels, size)
    stop = keras.callbacks.EarlyStopping(
        monitor="val_loss", mode="min", patience=recipe.patience, restore_best_weights=True
    )
    model.fit(
        stream(pixels, labels, recipe.augmentation),
        validation_data=stream(held, held_labels, None),
        epochs=recipe.epochs,
        callbacks=[watch, stop],
        verbose=0,
    )
    logits = logits_of(model, normalised(colours(tests)), size)
    return Outcome(pd.DataFrame(watch.rows), stop.best_epoch + 1, test_labels, logits)
