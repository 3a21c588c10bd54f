"""Networks that drop features inside: their parents' weights, and answers that can be sampled."""

import pytest
import torch
from torch import nn

from sourcebench.models import (
    ARCHITECTURES,
    build_backbone,
    build_network,
    fresh_network,
    truncate,
    weights_arch,
)

DROPPING = [name for name in ARCHITECTURES.names() if name.endswith("_dropout")]

# Parameters that torchvision's documentation gives, less those of the classifier of 1000 classes.
PUBLISHED = {
    "densenet161": (28_681_000 - 2_209_000, 2208),
    "efficientnet_b4": (19_341_616 - 1_793_000, 1792),
}


@pytest.mark.parametrize("arch", PUBLISHED)
def test_they_have_the_published_sizes(arch):
    with torch.device("meta"):
        backbone = build_backbone(arch)
    count = sum(weight.numel() for weight in backbone.parameters())
    assert (count, backbone.num_features) == PUBLISHED[arch]


@pytest.mark.parametrize("arch", DROPPING)
def test_every_dense_layer_drops_a_tenth(arch):
    with torch.device("meta"):
        plain, dropping = fresh_network(arch), truncate(arch, fresh_network(arch))
    assert list(plain.state_dict()) == list(dropping.state_dict())
    layers = {each for each in dropping.modules() if hasattr(each, "drop_rate")}
    assert len(layers) == {"densenet121_dropout": 58, "densenet161_dropout": 78}[arch]
    assert {each.drop_rate for each in layers} == {0.1}
    assert not any(getattr(each, "drop_rate", 0) for each in plain.modules())


@torch.no_grad()
@pytest.mark.parametrize("arch", DROPPING)
@pytest.mark.parametrize("channels", [3, 6])
def test_it_is_its_parent_until_it_drops(arch, channels):
    assert weights_arch(arch) == arch.removesuffix("_dropout")  # any source has them that has those
    torch.manual_seed(1)
    small = {"builder": "timm", "name": weights_arch(arch), "block_config": (2, 1, 1, 1)}
    parent, dropping = (
        build_network(small, channels),
        truncate(arch, build_network(small, channels)),
    )
    dropping.load_state_dict(parent.state_dict())
    images = torch.randn(2, channels, 32, 32)
    assert torch.equal(parent.eval()(images), dropping.eval()(images))
    dropping.train()
    for module in dropping.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eval()
    assert not torch.equal(dropping(images), dropping(images))
