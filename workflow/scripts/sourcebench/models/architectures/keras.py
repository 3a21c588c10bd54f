"""Networks of `keras.applications` that compute another function than timm's of the same name.

Each is timm's network with the difference put in. Modules and tensors keep timm's names, so what
works on timm's network (truncating it, freezing parts of it) works on these. What needs no network
of its own: InceptionResNetV2, which timm builds as Keras does; the biases of ResNet50's
convolutions, since each is followed by a batch normalisation whose mean takes it up; and the zeros
around the stem's maximum pooling, where timm pads with −∞, since nothing after a ReLU is below 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sourcebench.models.registry import NETWORKS, build_network

if TYPE_CHECKING:
    from torch import nn

EPSILON = 1.001e-5  # of the batch normalisations in Keras' ResNet and DenseNet; PyTorch's is 1e-5


def _timm(name: str, **options: Any) -> Any:
    return build_network({"builder": "timm", "name": name, **options})


def _set_epsilon(network: nn.Module) -> None:
    from torch import nn

    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.eps = EPSILON


@NETWORKS.register("keras_resnet50")
def keras_resnet50(name: str = "resnet50", channels: int = 3) -> nn.Module:
    """Return ResNet50 as in He et al. 2016: a block halves the image in its first convolution.

    Args:
        name: timm's network that is altered so, of the same four stages.
        channels: of the images.
    """
    network = _timm(name, channels=channels)
    _set_epsilon(network)
    for stage in (network.layer2, network.layer3, network.layer4):
        stage[0].conv1.stride, stage[0].conv2.stride = (2, 2), (1, 1)
    return network  # type: ignore[no-any-return]


@NETWORKS.register("keras_inception_v3")
def keras_inception_v3(channels: int = 3) -> nn.Module:
    """Return InceptionV3 whose average poolings leave padding out of the average."""
    from sourcebench.models.pooled_branch import PooledBranch

    network = _timm("inception_v3", aux_logits=False, channels=channels)
    for block in network.children():
        if hasattr(block, "branch_pool"):
            block.branch_pool = PooledBranch(block.branch_pool)
    return network  # type: ignore[no-any-return]


@NETWORKS.register("keras_densenet121")
def keras_densenet121(channels: int = 3) -> nn.Module:
    """Return DenseNet121 with Keras' epsilon."""
    network = _timm("densenet121", channels=channels)
    _set_epsilon(network)
    return network  # type: ignore[no-any-return]
