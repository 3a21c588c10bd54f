"""Step for step: the same weights, batches and dropped features must give the same training.

Our trainer goes first, and every batch is kept as the network got it, augmented and normalised.
Keras is then trained on these very batches. What is left to differ is what is to be compared: the
loss, the gradients, Adam, the place of the dropout, batch normalisation and its statistics.

In float64, since the gradients of 50 fresh layers multiply the rounding of float32: a seventh of a
gradient may be that. Heads, which are float32 here, and files of weights still round.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytorch_lightning as lightning
import torch
from keras.src import backend
from keras.src.legacy.preprocessing.image import apply_affine_transform
from torch import Tensor, nn

from sourcebench.models import build_network
from sourcebench.models.batch_norm import set_momentum
from sourcebench.models.classifier import Classifier
from sourcebench.sources.formats.keras_h5 import convert
from sourcebench.training.augmentation import Augmentation, warp
from sourcebench.training.data import RunData
from sourcebench.training.module import FineTuner
from sourcebench.training.runs import Recipe
from sourcebench.training.trainer import trainer_of
from twin.images import Images
from twin.networks import keras_classifier, save_backbone
from twin.reference import NORMALISATION, logits_of, one_hot

CPU = torch.device("cpu")


@dataclass(frozen=True)
class Parity:
    """The largest differences between two trainings that should be one.

    Args:
        loss: of a step's loss, for each step.
        moved: how far any weight moved at most.
        weights: of any weight, after the last step.
        means: of any running mean.
        variances: of any running variance, as a share of it.
        variances_alike: the same after Keras' variances are turned into unbiased ones, as PyTorch
            and TensorFlow's fused kernel keep them (Keras 3 keeps the biased ones).
        logits: of any difference of two logits in evaluation, after the last step.
    """

    loss: list[float]
    moved: float
    weights: float
    means: float
    variances: float
    variances_alike: float
    logits: float


class Keep(lightning.Callback):
    """Keep every batch as the network got it, and its loss."""

    def __init__(self) -> None:
        self.batches: list[tuple[Tensor, Tensor]] = []
        self.losses: list[float] = []

    def on_train_batch_end(
        self, trainer: Any, pl_module: Any, outputs: Any, batch: Any, batch_idx: int
    ) -> None:
        self.batches.append((batch[0].clone(), batch[1].clone()))
        self.losses.append(float(outputs["loss"]))


@contextmanager
def same_dropout(seed: int) -> Iterator[None]:
    """Let both frameworks' dropout layers, which end in one function, draw the same masks."""
    generator, original = torch.Generator().manual_seed(seed), nn.functional.dropout

    def dropout(features: Tensor, p: float, training: bool = True, inplace: bool = False) -> Tensor:
        if not training:
            return features
        keep = torch.rand(features.shape, generator=generator) >= p
        return features * keep / (1 - p)

    nn.functional.dropout = dropout
    try:
        yield
    finally:
        nn.functional.dropout = original


@contextmanager
def precision(dtype: str) -> Iterator[None]:
    """Let Keras compute in 'float32' or 'float64', batch normalisation too.

    Keras' promotion of types ends at float32, which is what its batch normalisation then takes.
    """
    usual, policy, promoted = (
        keras.config.floatx(),
        keras.config.dtype_policy(),
        backend.result_type,
    )

    def widest(*dtypes: Any) -> Any:
        names = map(backend.standardize_dtype, dtypes)
        return "float64" if "float64" in names else promoted(*dtypes)

    keras.config.set_floatx(dtype)
    keras.config.set_dtype_policy(dtype)
    backend.result_type = widest
    try:
        yield
    finally:
        backend.result_type = promoted
        keras.config.set_floatx(usual)
        keras.config.set_dtype_policy(policy)


def compare(
    arch: str, images: Images, recipe: Recipe, seed: int, folder: Path, dtype: str = "float64"
) -> Parity:
    """Train once around with both, from Keras' weights, and compare step for step.

    Args:
        arch: a key of `networks.DIVISORS`.
        images: the task; the batches of its training images should be of one size.
        recipe: how; one epoch of it.
        seed: of the weights, the order, the augmentation and the dropout.
        folder: for Keras' files of weights.
        dtype: what both compute in, 'float64' or 'float32'.
    """
    with precision(dtype):
        return _compare(arch, images, replace(recipe, epochs=1), seed, folder, dtype)


def _compare(
    arch: str, images: Images, recipe: Recipe, seed: int, folder: Path, dtype: str
) -> Parity:
    (pixels, labels), (held, held_labels) = map(images.part, ("train", "val"))
    keras.utils.set_random_seed(seed)
    model = keras_classifier(arch, pixels.shape[1], recipe.dropout, recipe.learning_rate)
    model.set_weights([values.astype(np.float32) for values in model.get_weights()])
    tuner = FineTuner(_converted(model, arch, recipe, folder), recipe.learning_rate)
    kind = getattr(torch, dtype)
    tuner.network.backbone.to(kind).register_forward_pre_hook(lambda _, images: images[0].to(kind))
    before = {name: tensor.clone() for name, tensor in tuner.network.state_dict().items()}
    counts = _counted(tuner.network)

    data = RunData(
        torch.from_numpy(np.concatenate([pixels, held]))[..., None],
        torch.from_numpy(np.concatenate([labels, held_labels])),
        torch.arange(len(pixels) + len(held)) >= len(pixels),
        NORMALISATION,
        recipe.augmentation,
        recipe.batch_size,
        seed,
    )
    trainer, *_ = trainer_of(recipe, CPU, folder)
    keep = Keep()
    trainer.callbacks.append(keep)
    with same_dropout(seed):
        trainer.fit(tuner, datamodule=data)
    losses = []
    with same_dropout(seed):
        for batch, targets in keep.batches:
            model.reset_metrics()
            arrays = batch.permute(0, 2, 3, 1).contiguous().numpy()
            losses.append(float(model.train_on_batch(arrays, one_hot(targets.numpy()))))

    ours, theirs = tuner.network.state_dict(), _tensors(model, arch, folder)
    trained = [name for name, _ in tuner.network.named_parameters()]
    means = [name for name in ours if name.endswith("running_mean")]
    alike = {
        name: _unbiased(theirs[name], counts[name], len(losses), recipe.batch_norm_momentum)
        for name in counts
    }
    return Parity(
        loss=np.abs(np.subtract(keep.losses, losses)).tolist(),
        moved=max(float((ours[name] - before[name]).abs().max()) for name in trained),
        weights=max(float((ours[name] - theirs[name]).abs().max()) for name in trained),
        means=max(float((ours[name] - theirs[name]).abs().max()) for name in means),
        variances=max(float((theirs[name] / ours[name] - 1).abs().max()) for name in counts),
        variances_alike=max(float((alike[name] / ours[name] - 1).abs().max()) for name in counts),
        logits=_evaluated(tuner.network, model, data, recipe.batch_size),
    )


def _converted(model: Any, arch: str, recipe: Recipe, folder: Path) -> Classifier:
    """Return our classifier with the weights of Keras', head included."""
    save_backbone(model, folder / "start.weights.h5")
    tensors, network = convert(folder / "start.weights.h5", arch)
    backbone = build_network(network)
    backbone.load_state_dict(tensors)
    classifier = Classifier(backbone, dropout=recipe.dropout)
    kernel, bias = model.get_layer("head").get_weights()
    classifier.head.load_state_dict(
        {"weight": torch.from_numpy(kernel.T), "bias": torch.from_numpy(bias)}
    )
    set_momentum(classifier, recipe.batch_norm_momentum)
    return classifier.to(memory_format=torch.channels_last)


def _tensors(model: Any, arch: str, folder: Path) -> dict[str, Tensor]:
    """Return the weights of Keras' classifier under our names."""
    save_backbone(model, folder / "end.weights.h5")
    tensors, _ = convert(folder / "end.weights.h5", arch)
    kernel, bias = map(torch.from_numpy, model.get_layer("head").get_weights())
    return {f"backbone.{name}": value for name, value in tensors.items()} | {
        "head.weight": kernel.T,
        "head.bias": bias,
    }


def _counted(network: nn.Module) -> dict[str, int]:
    """Return a table that fills in training: running variance → values a batch has a channel."""
    counts: dict[str, int] = {}
    for name, module in network.named_modules():
        if isinstance(module, nn.BatchNorm2d):

            def note(_: Any, inputs: tuple[Tensor], key: str = f"{name}.running_var") -> None:
                counts.setdefault(key, inputs[0].numel() // inputs[0].shape[1])

            module.register_forward_pre_hook(note)
    return counts


def _unbiased(variance: Tensor, count: int, steps: int, momentum: float) -> Tensor:
    """Return what a running variance would be, had each batch's been divided by n − 1."""
    first = (1 - momentum) ** steps  # what is left of the 1 that it started with
    return first + (variance - first) * count / (count - 1)


def _evaluated(network: nn.Module, model: Any, data: RunData, batch_size: int) -> float:
    """Return the largest difference between the two networks' margins, for held-out images."""
    images, _ = data.batch(data.indices["val"], augment=False)
    with torch.inference_mode():
        ours = network.eval()(images).double().numpy()
    theirs = logits_of(model, images.permute(0, 2, 3, 1).contiguous().numpy(), batch_size)
    return float(np.abs(np.diff(ours) - np.diff(theirs)).max())


def augmentation_difference(images: Tensor, augmentation: Augmentation, seed: int) -> float:
    """Return the largest difference, in grey levels, between our affine maps and Keras' own.

    Keras' matrices are in (x, y) order since October 2020, ours in (row, column) order: the same
    maps of the transposed image. Both axes have the same ranges, so that it is one distribution,
    but for the axis along which a tenth of a degree is sheared.

    Args:
        images: N×H×W, uint8.
        augmentation: the ranges.
        seed: of the draws.
    """
    n, side = images.shape[:2]
    theta = augmentation.draw(n, torch.Generator().manual_seed(seed))
    ours = warp(images[..., None].float(), theta)[..., 0]
    draws = torch.rand(6, n, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    angle, rows, columns, shear, zoom_rows, zoom_columns = (draws * 2 - 1).numpy()
    largest = 0.0
    for i in range(n):
        theirs = apply_affine_transform(
            images[i].T.numpy()[..., None].astype(np.float64),
            theta=augmentation.rotation * angle[i],
            tx=augmentation.shift * rows[i] * side,
            ty=augmentation.shift * columns[i] * side,
            shear=augmentation.shear * shear[i],
            zx=1 + augmentation.zoom * zoom_rows[i],
            zy=1 + augmentation.zoom * zoom_columns[i],
            row_axis=0,
            col_axis=1,
            channel_axis=2,
            fill_mode="nearest",
            order=1,
        )
        largest = max(largest, float(np.abs(ours[i].numpy() - theirs[..., 0].T).max()))
    return largest
