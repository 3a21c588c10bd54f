"""The shallow and the truncated networks of Rethink TL, and how large they are."""

import pytest
import torch

from sourcebench.models import ARCHITECTURES, build_backbone, build_network
from sourcebench.models.complexity import conv_layers, flops, parameters
from sourcebench.sources.pretraining import pretrain
from sourcebench.sources.recipe import Recipe

# Transfusion (Raghu et al. 2019), Table 1.
TRANSFUSION = {
    "cbr_large_t": (8_532_480, 5),
    "cbr_large_w": (8_432_128, 4),
    "cbr_small": (2_108_672, 4),
    "cbr_tiny": (1_076_480, 4),
}

# Rethink TL, section 2.2: layers kept, and their percentage of all, the classifier being one.
RESNET = {"t1": (25, 50), "t2": (37, 74), "t3": (43, 86), "t4": (46, 92), "t5": (49, 98)}
# The paper gives percentages only: 12, 32 and, for 73, 88, which is the number of layers.
DENSENET = {"t1": (14, 12), "t2": (39, 32), "t3": (88, 73)}
RETHINK = {
    **{f"resnet50_{level}": (*row, 50) for level, row in RESNET.items()},
    **{f"densenet121_{level}": (*row, 121) for level, row in DENSENET.items()},
}

# Parameters and features of a truncated network; its operations at 224 px, in 10⁹.
SIZES = {
    "resnet50_t1": (2_957_376, 1024, 4.4),
    "resnet50_t2": (7_426_112, 1024, 6.1),
    "resnet50_t3": (14_582_848, 2048, 7.3),
    "resnet50_t4": (19_045_440, 2048, 7.7),
    "resnet50_t5": (23_508_032, 2048, 8.2),
    "densenet121_t1": (377_856, 128, 2.5),
    "densenet121_t2": (1_429_632, 256, 4.2),
    "densenet121_t3": (4_793_728, 512, 5.5),
}


def on_meta(arch):
    with torch.device("meta"):
        return build_backbone(arch)


@pytest.mark.parametrize("arch", TRANSFUSION)
def test_cbr_networks_have_the_published_sizes(arch):
    published, layers = TRANSFUSION[arch]
    backbone = on_meta(arch)
    kernels = [module for module in backbone.modules() if isinstance(module, torch.nn.Conv2d)]
    counted = sum(kernel.weight.numel() for kernel in kernels[1:]) + 5 * backbone.num_features
    assert counted == published
    assert len(kernels) == conv_layers(backbone) == layers
    normalisations = 2 * sum(kernel.out_channels for kernel in kernels)
    all_kernels = sum(kernel.weight.numel() for kernel in kernels)
    assert parameters(backbone) == all_kernels + normalisations


@pytest.mark.parametrize("size", [96, 101])
def test_cbr_networks_halve_the_image_four_times(size):
    backbone = build_backbone("cbr_tiny").eval()
    maps = backbone.blocks(torch.randn(2, 3, size, size))
    assert maps.shape == (2, 256, -(-size // 16), -(-size // 16))
    assert (maps >= 0).all()
    tall = on_meta("cbr_large_t").blocks
    assert [len(block) for block in tall] == [4, 4, 4, 4, 3]


def test_cbr_networks_learn_in_silico_as_any_other():
    recipe = Recipe(images=60, size=48, epochs=1, batch_size=20)
    tensors, summary = pretrain("dead_leaves", "cbr_small", recipe, seed=1, threads=1)
    build_backbone("cbr_small").load_state_dict(tensors, strict=True)
    assert 0 <= summary["val_accuracy"] <= 1
    assert tensors["blocks.0.1.num_batches_tracked"] == 2


@pytest.mark.parametrize("arch", RETHINK)
def test_truncated_networks_keep_the_papers_share_of_layers(arch):
    layers, percent, of = RETHINK[arch]
    backbone = on_meta(arch)
    assert conv_layers(backbone) == layers
    assert round(100 * layers / of) == percent
    assert conv_layers(on_meta(ARCHITECTURES.get(arch).parent)) == of - 1


@pytest.mark.parametrize("arch", SIZES)
def test_truncated_networks_are_smaller(arch):
    backbone = on_meta(arch)
    size, features, operations = SIZES[arch]
    assert (parameters(backbone), backbone.num_features) == (size, features)
    assert flops(backbone, 224) / 1e9 == pytest.approx(operations, abs=0.06)


@pytest.mark.parametrize(
    ("arch", "network", "last"),
    [
        ("resnet50_t1", {"builder": "timm", "name": "resnet50"}, "layer3.0"),
        ("resnet50_t5", {"builder": "keras_resnet50"}, "layer4.2"),
        ("densenet121_t1", {"builder": "timm", "name": "densenet121"}, "features.transition1"),
        ("densenet121_t2", {"builder": "keras_densenet121"}, "features.transition2"),
    ],
)
def test_a_truncated_network_computes_what_its_parent_does_up_to_the_cut(arch, network, last):
    torch.manual_seed(0)
    parent = build_network(network).eval()
    for module in parent.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            torch.nn.init.normal_(module.running_mean, std=0.1)
            torch.nn.init.uniform_(module.running_var, 0.5, 2)
            torch.nn.init.uniform_(module.weight, 0.5, 1)
    seen = {}
    parent.get_submodule(last).register_forward_hook(lambda *call: seen.update(maps=call[2]))
    images = torch.randn(2, 3, 64, 64)
    weights = {name: tensor.clone() for name, tensor in parent.state_dict().items()}
    with torch.no_grad():
        parent(images)
        expected = seen["maps"].mean(dim=(2, 3))
        truncated = ARCHITECTURES.get(arch).derive(parent)
        torch.testing.assert_close(truncated(images), expected, rtol=1e-4, atol=1e-5)
    assert truncated.num_features == expected.shape[1]
    state = truncated.state_dict()
    assert all(torch.equal(tensor, weights[name]) for name, tensor in state.items())
    with torch.device("meta"):
        assert build_backbone(arch, network).state_dict().keys() == state.keys()


def test_operations_are_those_counted_by_hand_and_cost_the_backbone_nothing():
    backbone = build_backbone("cbr_tiny")
    before = {name: tensor.clone() for name, tensor in backbone.state_dict().items()}
    sides, widths = [64, 32, 16, 8], [3, 32, 64, 128, 256]
    by_hand = sum(
        2 * side**2 * 25 * inputs * outputs
        for side, inputs, outputs in zip(sides, widths, widths[1:], strict=False)
    )
    assert flops(backbone, 64) == by_hand
    assert backbone.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in backbone.state_dict().items())


def test_operations_of_published_networks():
    # He et al. 2016, Table 1: 3.8·10⁹ multiply-adds, with the stride in the first 1×1 convolution.
    with torch.device("meta"):
        first = build_network({"builder": "keras_resnet50"})
    assert flops(first, 224) / 2e9 == pytest.approx(3.86, abs=0.02)
    # ViT-S/16: 4.6·10⁹ (Touvron et al. 2021, Table 5), attention included.
    assert flops(on_meta("vit_small"), 224) / 2e9 == pytest.approx(4.6, abs=0.05)
