"""Pretraining of in-silico sources: supervised classification of generated images."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from sourcebench import devices, seeds
from sourcebench.models import build_backbone
from sourcebench.models.classifier import Classifier
from sourcebench.sources.generators.base import GENERATORS
from sourcebench.sources.normalisation import USUAL
from sourcebench.sources.recipe import Recipe


def pretrain(
    generator: str, arch: str, recipe: Recipe, *, seed: int, threads: int
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Pretrain a backbone to tell a generator's classes apart.

    All images are generated first, as one uint8 tensor; training mirrors and shifts them. The same
    arguments give the same weights, bit for bit, on the same machine.

    Args:
        generator: a name in `GENERATORS`.
        arch: a name in `ARCHITECTURES`.
        recipe: sizes, epochs, learning rate.
        seed: where all randomness comes from.
        threads: CPU threads.

    Returns:
        The backbone's tensors (on the CPU), and a summary: the recipe, classes, chance level,
        accuracy on training and validation images (shares, in [0, 1]), seconds.

    Raises:
        SourceBenchError: there is no such generator or architecture, or no card where the recipe
            asks for one.
    """
    started = time.perf_counter()
    name = (seed, "pretraining", generator, arch)
    with (
        _deterministic(seeds.seed_of(*name)),
        devices.device(recipe.accelerator, threads) as device,
    ):
        images, labels = generate(generator, recipe.images, recipe.size, seed)
        generated = time.perf_counter()
        images, labels = images.to(device), labels.to(device)
        held_out = max(1, round(recipe.validation * recipe.images))
        classes = len(GENERATORS.get(generator).classes)
        model = Classifier(build_backbone(arch), classes, dropout=0.0)
        model = model.to(device).to(memory_format=torch.channels_last)
        _train(model, images[held_out:], labels[held_out:], recipe)
        training = slice(held_out, 2 * held_out)
        summary = asdict(recipe) | {
            "classes": classes,
            "chance": 1 / classes,
            "train_accuracy": _accuracy(model, images[training], labels[training]),
            "val_accuracy": _accuracy(model, images[:held_out], labels[:held_out]),
            "seconds_generating": round(generated - started, 2),
            "seconds": round(time.perf_counter() - started, 2),
        }
    state = {key: tensor.cpu().contiguous() for key, tensor in model.backbone.state_dict().items()}
    return state, summary


def generate(generator: str, count: int, size: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return generated images (N×size×size, uint8) and their labels (N, int64).

    Image i depends on the seed, the generator's name and i alone.
    """
    source = GENERATORS.get(generator)
    images = np.empty((count, size, size), np.uint8)
    labels = np.empty(count, np.int64)
    for index in range(count):
        rng = seeds.generator(seed, "generate", generator, index)
        images[index], labels[index] = source.generate(rng, size)
    return torch.from_numpy(images), torch.from_numpy(labels)


def _train(model: Classifier, images: Tensor, labels: Tensor, recipe: Recipe) -> None:
    optimiser = torch.optim.AdamW(
        model.parameters(), lr=recipe.lr, weight_decay=recipe.weight_decay, fused=True
    )
    batches = max(1, len(images) // recipe.batch_size)
    schedule = torch.optim.lr_scheduler.OneCycleLR(
        optimiser, recipe.lr, total_steps=recipe.epochs * batches
    )
    model.train()
    for _ in range(recipe.epochs):
        # Drawn on the CPU, so that a GPU sees the same order.
        order = torch.randperm(len(images)).to(images.device)
        for batch in order.tensor_split(batches):
            with _autocast(images.device):
                logits = model(USUAL(_augment(images[batch])[..., None]))
            loss = functional.cross_entropy(logits.float(), labels[batch])
            optimiser.zero_grad()
            torch.autograd.backward(loss)
            optimiser.step()
            schedule.step()


def _augment(images: Tensor) -> Tensor:
    """Mirror and shift (by up to an eighth, round the edge) a batch, and vary its contrast."""
    size = images.shape[-1]
    if torch.rand(()) < 0.5:
        images = images.flip(-1)
    down, across = torch.randint(-(size // 8), size // 8 + 1, (2,)).tolist()
    images = images.roll((down, across), (-2, -1)).to(torch.float32)
    contrast = torch.empty(len(images), 1, 1).uniform_(0.7, 1.2).to(images.device)
    brightness = torch.empty(len(images), 1, 1).uniform_(-20, 20).to(images.device)
    return images.mul_(contrast).add_(brightness).clamp_(0, 255)


@torch.no_grad()
def _accuracy(model: Classifier, images: Tensor, labels: Tensor) -> float:
    model.eval()
    with _autocast(images.device):
        guesses = [model(USUAL(part[..., None])).argmax(1) for part in torch.split(images, 256)]
    return float((torch.cat(guesses) == labels).float().mean())


def _autocast(device: torch.device) -> torch.autocast:
    """Compute in bfloat16 where the hardware does, which is 1.6 times as fast on such a CPU."""
    mixed = devices.precision("auto", device) == "bf16-mixed"
    return torch.autocast(device.type, torch.bfloat16, enabled=mixed)


@contextmanager
def _deterministic(seed: int) -> Iterator[None]:
    """Seed PyTorch and hold it to deterministic algorithms; leave it as it was afterwards."""
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")  # cuBLAS wants to be told so
    before = torch.get_num_threads(), torch.are_deterministic_algorithms_enabled()
    with torch.random.fork_rng(devices=range(torch.cuda.device_count())):
        torch.manual_seed(seed)
        torch.use_deterministic_algorithms(True, warn_only=True)
        try:
            yield
        finally:
            torch.set_num_threads(before[0])
            torch.use_deterministic_algorithms(before[1])
