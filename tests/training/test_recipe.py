"""The recipe is that of the paper's Keras: optimiser, batch normalisation, batches, head."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional

from sourcebench.models import ARCHITECTURES, build_backbone
from sourcebench.models.batch_norm import set_momentum
from sourcebench.models.classifier import Classifier
from sourcebench.sources import Normalisation
from sourcebench.training.augmentation import Augmentation
from sourcebench.training.data import Batches, RunData
from sourcebench.training.optimiser import KerasAdam

RATE = 1e-3


def stepped(optimiser, start, gradients):
    """Where an optimiser of PyTorch's takes a parameter."""
    parameter = nn.Parameter(torch.tensor(start))
    optimiser = optimiser([parameter])
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        optimiser.step()
    return parameter.detach().numpy() - start


def test_adam_is_that_of_keras(keras):
    """Gradients from 1e-9 to 1e-2, as those of a network's weights, around ε."""
    rng = np.random.default_rng(0)
    start = np.zeros(400, np.float32)
    size = 10 ** rng.uniform(-9, -2, 400)
    gradients = (size * rng.normal(0.5, 1, (30, 400))).astype(np.float32)
    variable = keras.Variable(start)
    theirs = keras.optimizers.Adam(learning_rate=RATE)
    theirs.build([variable])
    for gradient in gradients:
        theirs.apply([keras.ops.convert_to_tensor(gradient)])
    expected = keras.ops.convert_to_numpy(variable)
    ours = stepped(lambda parameters: KerasAdam(parameters, RATE), start, gradients)
    np.testing.assert_allclose(ours, expected, rtol=1e-4, atol=1e-9)
    plain = stepped(
        lambda parameters: torch.optim.Adam(parameters, RATE, eps=1e-7), start, gradients
    )
    assert np.abs(plain - expected).max() > 5 * RATE


def test_running_statistics_follow_as_in_keras(keras):
    """The mean is the same; the variance is n / (n − 1) of theirs, as in the paper's TensorFlow."""
    rng = np.random.default_rng(0)
    batches = rng.normal(3, 2, (6, 8, 5, 5, 4)).astype(np.float32)
    theirs = keras.layers.BatchNormalization(momentum=0.99, epsilon=1.001e-5)
    ours = nn.BatchNorm2d(4, eps=1.001e-5)
    set_momentum(ours, 0.01)
    for batch in batches:
        expected = keras.ops.convert_to_numpy(theirs(batch, training=True))
        output = ours(torch.tensor(batch).permute(0, 3, 1, 2)).permute(0, 2, 3, 1)
        np.testing.assert_allclose(output.detach().numpy(), expected, atol=1e-5)
    mean = keras.ops.convert_to_numpy(theirs.moving_mean)
    np.testing.assert_allclose(ours.running_mean.numpy(), mean, rtol=1e-5)
    n, started = 8 * 5 * 5, 0.99 ** len(batches)
    variance = keras.ops.convert_to_numpy(theirs.moving_variance)
    unbiased = started + (variance - started) * n / (n - 1)
    np.testing.assert_allclose(ours.running_var.numpy(), unbiased, rtol=1e-5)


@pytest.mark.parametrize("arch", ARCHITECTURES.names())
def test_every_batch_normalisation_has_the_recipes_momentum(arch):
    with torch.device("meta"):
        backbone = build_backbone(arch)
    set_momentum(backbone, 0.01)
    assert {m.momentum for m in backbone.modules() if hasattr(m, "running_mean")} <= {0.01}


@given(st.integers(1, 300), st.integers(1, 40), st.booleans())
def test_no_batch_is_a_single_image_left_over(images, size, shuffled):
    generator = torch.Generator().manual_seed(0) if shuffled else None
    indices = torch.arange(images) + 7
    batches = Batches(indices, size, generator)
    seen = list(batches)
    sizes = [len(batch) for batch in seen]
    assert sorted(torch.cat(seen).tolist()) == indices.tolist()
    assert len(seen) == len(batches)
    assert sizes[:-1] == [size] * (len(sizes) - 1)
    assert sizes[-1] <= size + 1
    assert 1 not in sizes or size == 1 or images == 1


def test_the_published_fold_of_225_images_has_seven_batches():
    validation = torch.arange(248) >= 225
    data = RunData(
        torch.zeros(248, 8, 8, 1, dtype=torch.uint8), torch.zeros(248, dtype=torch.int64),
        validation,
        Normalisation(), Augmentation(), batch_size=32, seed=1,
    )  # fmt: skip
    assert [len(batch) for batch in data.train_dataloader()] == [32] * 6 + [33]
    assert [len(batch) for batch in data.val_dataloader()] == [23]


def test_the_head_runs_in_float32_under_autocast():
    torch.manual_seed(0)
    classifier = Classifier(build_backbone("tiny_resnet")).eval()
    images = torch.randn(4, 3, 64, 64)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        features = classifier.backbone(images)
        logits = classifier(images)
    assert features.dtype == torch.bfloat16
    assert logits.dtype == torch.float32
    with torch.inference_mode():
        expected = functional.linear(features.float(), classifier.head.weight, classifier.head.bias)
    assert torch.equal(logits, expected)
