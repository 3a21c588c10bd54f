"""RadImageNet's PyTorch files: a Sequential of a torchvision network's children, less the last."""

import pytest
import torch
import torchvision
from torch import nn

from sourcebench.sources.weights import load_backbone, write_weights

NETWORKS = {
    "resnet50": lambda: torchvision.models.resnet50(),
    "densenet121": lambda: torchvision.models.densenet121(),
    "inception_v3": lambda: torchvision.models.inception_v3(aux_logits=False, init_weights=False),
}


class RadImageNet(nn.Module):
    """How the weights were saved."""

    def __init__(self, network):
        super().__init__()
        self.backbone = nn.Sequential(*list(network.children())[:-1])


def randomise(network):
    """Draw weights and statistics away from what they start with; keep activations near 1."""
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight)
        elif isinstance(module, nn.BatchNorm2d):
            nn.init.uniform_(module.weight, 0.5, 1.3)
            nn.init.uniform_(module.bias, -0.5, 0.5)
            nn.init.uniform_(module.running_mean, -0.5, 0.5)
            nn.init.uniform_(module.running_var, 0.5, 2)


@pytest.mark.parametrize("arch", NETWORKS)
def test_features_are_those_of_torchvision(tmp_path, arch):
    torch.manual_seed(0)
    network = NETWORKS[arch]().eval()
    randomise(network)
    torch.save(RadImageNet(network).state_dict(), tmp_path / "theirs.pt")
    # What precedes the classifier: DenseNet's forward has a ReLU that is none of its children.
    name = [name for name, _ in network.named_children()][-1]
    setattr(network, name, nn.Identity())

    entry = {
        "kind": "file",
        "path": str(tmp_path / "theirs.pt"),
        "mean": [0.5] * 3,
        "std": [0.5] * 3,
    }
    write_weights("rad", entry, arch, tmp_path / "ours.safetensors", seed=1, threads=1)
    backbone = load_backbone(arch, tmp_path / "ours.safetensors")[0].eval()
    for size in (107, 160):
        # Coarse noise: pooled features of fine noise would hardly depend on the image.
        images = nn.functional.interpolate(torch.randn(2, 3, 5, 5), size)
        with torch.no_grad():
            theirs, ours = network(images), backbone(images)
        assert ours.shape == (2, backbone.num_features)
        assert (theirs[0] - theirs[1]).abs().max() > 1e-3 * theirs.abs().max()
        assert (ours - theirs).abs().max() / theirs.abs().max() < 2e-6
