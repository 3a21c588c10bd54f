"""Fresh weights start as Keras starts them, in every architecture, and so does the head."""

from collections import defaultdict

import numpy as np
import pytest
import timm
import torch
from torch import nn

from sourcebench.models import ARCHITECTURES, build_backbone, build_network, initialisation_of
from sourcebench.models.classifier import Classifier
from sourcebench.models.initialisation import INITIALISATIONS, keras_
from sourcebench.training.finetuning import _fresh_backbone

OWN = ["convnext_tiny", "swin_tiny", "vit_base", "vit_small", "vit_tiny"]
WHOLE = [arch for arch in ARCHITECTURES.names() if not ARCHITECTURES.get(arch).parent]
AS_KERAS = [arch for arch in WHOLE if arch not in OWN]
TRUNCATED = ["resnet50_t1", "densenet121_t1", "tiny_resnet_t1"]


def kernels(network):
    """Every kernel of a network, as Keras orders its axes."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            yield module, module.weight.detach().permute(2, 3, 1, 0).numpy()
        elif isinstance(module, nn.Linear):
            yield module, module.weight.detach().T.numpy()


def assert_uniform(values, bound):
    """Values look drawn from a uniform distribution in ±bound."""
    n, variance = values.size, bound**2 / 3
    assert np.abs(values).max() <= bound * (1 + 1e-6)
    # Five standard errors; a uniform distribution's kurtosis is 1.8.
    assert abs(values.mean()) < 5 * np.sqrt(variance / n)
    assert abs(values.var() / variance - 1) < 5 * np.sqrt(0.8 / n) + 1 / n
    assert np.abs(values).max() > bound * (1 - 20 / n)


@pytest.mark.parametrize("arch", AS_KERAS)
def test_fresh_weights_start_as_keras_starts_them(arch):
    torch.manual_seed(0)
    for module in build_backbone(arch).modules():
        if isinstance(module, nn.Conv2d):
            outputs, inputs, *sides = module.weight.shape
            bound = np.sqrt(6 / ((inputs + outputs) * np.prod(sides)))
            assert_uniform(module.weight.detach().numpy(), bound)
            assert module.bias is None or not module.bias.any()
        elif isinstance(module, nn.BatchNorm2d):
            assert (module.weight == 1).all()
            assert not module.bias.any()
            assert not module.running_mean.any()
            assert (module.running_var == 1).all()
        else:
            assert not list(module.parameters(recurse=False)), "a parameter that nobody drew"


def test_a_fresh_resnet50_is_that_of_keras_applications(keras):
    """Kernels of a shape have the same spread; batch normalisations start the same."""
    keras.utils.set_random_seed(0)
    theirs = keras.applications.ResNet50(weights=None, include_top=False, pooling="avg")
    spread = defaultdict(list)
    for layer in theirs.layers:
        if isinstance(layer, keras.layers.Conv2D):
            kernel, bias = map(keras.ops.convert_to_numpy, layer.weights)
            spread[kernel.shape].append(kernel)
            assert not bias.any()
        elif isinstance(layer, keras.layers.BatchNormalization):
            start = [set(keras.ops.convert_to_numpy(w).tolist()) for w in layer.weights]
            assert start == [{1.0}, {0.0}, {0.0}, {1.0}]  # γ, β, mean, variance
    torch.manual_seed(0)
    ours = defaultdict(list)
    for _, kernel in kernels(build_backbone("resnet50")):
        ours[kernel.shape].append(kernel)
    assert {shape: len(drawn) for shape, drawn in spread.items()} == {
        shape: len(drawn) for shape, drawn in ours.items()
    }
    for shape, drawn in spread.items():
        theirs_all, ours_all = np.stack(drawn), np.stack(ours[shape])
        assert ours_all.std() == pytest.approx(theirs_all.std(), rel=0.03)
        assert np.abs(ours_all).max() == pytest.approx(np.abs(theirs_all).max(), rel=0.01)


@pytest.mark.parametrize(
    "layer",
    [
        nn.Linear(300, 7),
        nn.Conv2d(24, 40, (3, 5)),
        nn.Conv2d(24, 48, 3, groups=4),
        nn.Conv2d(96, 96, 7, groups=96),  # depthwise
    ],
    ids=["dense", "convolution", "grouped", "depthwise"],
)
def test_kernels_have_the_spread_of_keras_initialiser(keras, layer):
    torch.manual_seed(0)
    keras_(layer)
    ((_, kernel),) = kernels(layer)
    theirs = keras.initializers.GlorotUniform(seed=1)(kernel.shape)
    theirs = keras.ops.convert_to_numpy(theirs)
    assert kernel.std() == pytest.approx(theirs.std(), rel=0.05)
    assert np.abs(kernel).max() == pytest.approx(np.abs(theirs).max(), rel=0.01)
    assert not layer.bias.any()


def test_no_residual_branch_starts_shut():
    """timm starts γ of the last normalisation of each branch at 0; Adam at 1e-5 keeps it there."""
    for backbone in (build_backbone("resnet50"), _fresh_backbone("resnet50", None, 64, seed=1)):
        last = [
            block.bn3.weight
            for layer in range(1, 5)
            for block in backbone.get_submodule(f"layer{layer}")
        ]
        assert len(last) == 16
        assert all((weight == 1).all() for weight in last)


@pytest.mark.parametrize("arch", TRUNCATED)
def test_a_truncated_network_starts_as_its_parent(arch):
    torch.manual_seed(3)
    part = build_backbone(arch).state_dict()
    torch.manual_seed(3)
    whole = build_backbone(ARCHITECTURES.get(arch).parent).state_dict()
    assert part.keys() < whole.keys()
    assert all(torch.equal(tensor, whole[name]) for name, tensor in part.items())
    assert initialisation_of(arch) is INITIALISATIONS.get("keras")


@pytest.mark.parametrize("arch", ["vit_small", "swin_tiny", "convnext_tiny"])
def test_transformers_start_as_their_publications_have_it(arch):
    torch.manual_seed(0)
    ours = build_backbone(arch).state_dict()
    torch.manual_seed(0)
    name = ARCHITECTURES.get(arch).network["name"]
    theirs = timm.create_model(name, num_classes=0).state_dict()
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(tensor, theirs[name]) for name, tensor in ours.items())


def test_what_regularises_is_the_recipes():
    """timm gives Swin stochastic depth unasked; an exact network may still ask for it."""
    name = ARCHITECTURES.get("swin_tiny").network["name"]
    for options, expected in (({}, {0.0}), ({"drop_path_rate": 0.1}, {0.1})):
        with torch.device("meta"):
            network = build_network({"builder": "timm", "name": name} | options)
        rates = {m.drop_prob for m in network.modules() if hasattr(m, "drop_prob")}
        assert max(rates) == pytest.approx(max(expected))


def test_the_head_starts_as_a_dense_layer_of_keras():
    backbone = nn.Identity()
    backbone.num_features = 2048
    heads = []
    for seed in range(4):
        torch.manual_seed(seed)
        head = Classifier(backbone).head
        heads.append(head.weight.detach().numpy())
        assert not head.bias.any()
    assert_uniform(np.stack(heads), np.sqrt(6 / 2050))  # 0.054; PyTorch's own is 0.022


@pytest.mark.parametrize("arch", ARCHITECTURES.names())
def test_fresh_networks_can_be_outlined(arch):
    with torch.device("meta"):
        assert all(parameter.is_meta for parameter in build_backbone(arch).parameters())
    assert initialisation_of(arch).words
