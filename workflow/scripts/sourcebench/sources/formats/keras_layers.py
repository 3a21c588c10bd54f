"""Which layer of a network of `keras.applications` is which module of timm's network.

Keras' ResNet50 and DenseNet121 name their layers. Its Inception networks leave most unnamed, and
Keras numbers those in the order in which its code makes them (a file lists them in another order).
timm's networks hold their modules in that same order.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sourcebench.registry import Registry

Places = dict[str, str]


@dataclass(frozen=True)
class Family:
    """An architecture of which Keras files are converted; its name is timm's.

    Args:
        network: the exact network for the weights: a builder in `NETWORKS` and its options. Its
            tensors have the names and shapes of timm's plain one.
        places: makes the table of Keras' layers → timm's modules, given the names of timm's
            modules with weights, in order.
    """

    network: Mapping[str, str]
    places: Callable[[Sequence[str]], Places]


FAMILIES: Registry[Family] = Registry("architecture of Keras files")


def _resnet50(modules: Sequence[str]) -> Places:
    places = {"conv1_conv": "conv1", "conv1_bn": "bn1"}
    for stage, blocks in enumerate((3, 4, 6, 3), start=1):
        for block in range(blocks):
            theirs, ours = f"conv{stage + 1}_block{block + 1}", f"layer{stage}.{block}"
            if block == 0:
                places[f"{theirs}_0_conv"] = f"{ours}.downsample.0"
                places[f"{theirs}_0_bn"] = f"{ours}.downsample.1"
            for number in (1, 2, 3):
                places[f"{theirs}_{number}_conv"] = f"{ours}.conv{number}"
                places[f"{theirs}_{number}_bn"] = f"{ours}.bn{number}"
    return places


def _densenet121(modules: Sequence[str]) -> Places:
    places = {"conv1_conv": "conv0", "conv1_bn": "norm0", "bn": "norm5"}
    for stage, layers in enumerate((6, 12, 24, 16), start=1):
        for layer in range(1, layers + 1):
            theirs, ours = f"conv{stage + 1}_block{layer}", f"denseblock{stage}.denselayer{layer}"
            places[f"{theirs}_0_bn"] = f"{ours}.norm1"
            places[f"{theirs}_1_conv"] = f"{ours}.conv1"
            places[f"{theirs}_1_bn"] = f"{ours}.norm2"
            places[f"{theirs}_2_conv"] = f"{ours}.conv2"
        if stage < 4:
            places[f"pool{stage + 1}_bn"] = f"transition{stage}.norm"
            places[f"pool{stage + 1}_conv"] = f"transition{stage}.conv"
    return {theirs: f"features.{ours}" for theirs, ours in places.items()}


def _blocks(modules: Sequence[str]) -> list[str]:
    """Return timm's pairs of a convolution and a batch normalisation, in order."""
    return [module.removesuffix(".conv") for module in modules if module.endswith(".conv")]


def _numbered(blocks: Sequence[str]) -> Places:
    places = {}
    for number, block in enumerate(blocks):
        suffix = f"_{number}" if number else ""
        places[f"conv2d{suffix}"] = f"{block}.conv"
        places[f"batch_normalization{suffix}"] = f"{block}.bn"
    return places


def _inception_v3(modules: Sequence[str]) -> Places:
    return _numbered(_blocks(modules))


def _inception_resnet_v2(modules: Sequence[str]) -> Places:
    *blocks, last = _blocks(modules)
    places = _numbered(blocks) | {"conv_7b": f"{last}.conv", "conv_7b_bn": f"{last}.bn"}
    # The convolution that ends a residual block has a name, a bias, and no normalisation.
    residuals = [("block35", 10), ("block17", 20), ("block8", 10)]
    theirs = [f"{kind}_{k}_conv" for kind, number in residuals for k in range(1, number + 1)]
    ours = [module for module in modules if module.endswith(".conv2d")]
    return places | dict(zip(theirs, ours, strict=True))


_TIMM_INCEPTION_RESNET = {"builder": "timm", "name": "inception_resnet_v2"}

FAMILIES.register("resnet50")(Family({"builder": "keras_resnet50"}, _resnet50))
FAMILIES.register("inception_v3")(Family({"builder": "keras_inception_v3"}, _inception_v3))
FAMILIES.register("inception_resnet_v2")(Family(_TIMM_INCEPTION_RESNET, _inception_resnet_v2))
FAMILIES.register("densenet121")(Family({"builder": "keras_densenet121"}, _densenet121))
