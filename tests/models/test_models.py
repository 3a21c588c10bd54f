"""Backbones by name, the classifier, and the normalisation that precedes them."""

import subprocess
import sys

import numpy as np
import pytest
import torch

from conftest import ROOT
from sourcebench.errors import SourceBenchError
from sourcebench.models import ARCHITECTURES, build_backbone
from sourcebench.models.classifier import Classifier
from sourcebench.sources import Normalisation

# What torchvision's model documentation gives for the complete networks, less the classifier of
# 1000 classes, and less InceptionV3's auxiliary one. torchvision has no InceptionResNetV2: Keras
# gives 54,276,192 trainable parameters without the top, and leaves out batch normalisation's
# scales, which are 30,272.
PUBLISHED = {
    "resnet50": (25_557_032 - 2_049_000, 2048),
    "densenet121": (7_978_856 - 1_025_000, 1024),
    "inception_v3": (27_161_264 - 2_049_000 - 3_326_696, 2048),
    "inception_resnet_v2": (54_276_192 + 30_272, 1536),
}


def parameters(module):
    return sum(parameter.numel() for parameter in module.parameters())


@pytest.mark.parametrize("arch", PUBLISHED)
def test_the_papers_architectures_have_the_published_sizes(arch):
    backbone = build_backbone(arch).eval()
    assert (parameters(backbone), backbone.num_features) == PUBLISHED[arch]
    with torch.no_grad():
        assert backbone(torch.zeros(1, 3, 96, 96)).shape == (1, PUBLISHED[arch][1])


@pytest.mark.parametrize("size", [96, 128, 131])
def test_the_tiny_network_pools_its_features(size):
    backbone = build_backbone("tiny_resnet")
    assert 50_000 < parameters(backbone) < 300_000
    assert backbone(torch.zeros(2, 3, size, size)).shape == (2, backbone.num_features)


def test_an_initialisation_follows_from_the_seed():
    def draw(seed):
        torch.manual_seed(seed)
        return torch.cat(
            [weight.flatten() for weight in build_backbone("tiny_resnet").parameters()]
        )

    assert torch.equal(draw(1), draw(1))
    assert not torch.equal(draw(1), draw(2))


def test_an_unknown_architecture_is_answered_with_the_known_ones():
    with pytest.raises(SourceBenchError, match=r"'resnet5'.*resnet50.*tiny_resnet"):
        build_backbone("resnet5")
    assert set(PUBLISHED) < set(ARCHITECTURES.names())


def test_the_classifier_is_backbone_dropout_and_head():
    classifier = Classifier(build_backbone("tiny_resnet"), classes=3, dropout=0.5)
    images = torch.randn(4, 3, 96, 96)
    classifier.eval()
    expected = torch.nn.functional.linear(
        classifier.backbone(images), classifier.head.weight, classifier.head.bias
    )
    assert torch.equal(classifier(images), expected)
    classifier.dropout.train()
    assert not torch.equal(classifier(images), expected)


@pytest.mark.parametrize("channels", [1, 3])
def test_normalisation_scales_each_channel(channels):
    """A grey image is replicated, one of as many channels as the network takes is not."""
    images = np.random.default_rng(0).integers(0, 256, (2, 5, 7, channels), np.uint8)
    mean, std = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    result = Normalisation(mean, std)(torch.from_numpy(images))
    expected = np.moveaxis((images / 255 - mean) / np.array(std), -1, 1)
    assert result.dtype == torch.float32
    assert result.is_contiguous(memory_format=torch.channels_last)
    np.testing.assert_allclose(result.numpy(), expected, atol=1e-5)


def test_names_can_be_checked_without_loading_pytorch():
    code = (
        "import sys; import sourcebench.models, sourcebench.sources; "
        "assert not {'torch', 'timm'} & set(sys.modules)"
    )
    library = ROOT / "workflow" / "scripts"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=library)
