"""The networks that have a twin: Keras' ResNet50, whole and at an eighth of its width.

The narrow one has the same 50 layers, 16 residual blocks and names (and a stem of full width), so
that the conversion and whatever concerns depth is put to the same test at a seventh of the cost.
At a quarter timm would leave out the first block's projection, which Keras always has.
"""

from pathlib import Path
from typing import Any

import keras
from keras.src.applications import resnet
from timm.models import register_model
from timm.models.resnet import Bottleneck, ResNet

from sourcebench.models import ARCHITECTURES, Architecture
from sourcebench.sources.formats.keras_layers import FAMILIES, Family

BLOCKS, WIDTHS = (3, 4, 6, 3), (64, 128, 256, 512)
DIVISORS = {"twin_resnet50": 1, "twin_resnet50_eighth": 8}


def keras_backbone(arch: str, side: int) -> Any:
    """Return a freshly drawn network of Keras', without a top, that pools by averaging.

    Args:
        arch: a key of `DIVISORS`.
        side: of the images, px.
    """
    widths = [width // DIVISORS[arch] for width in WIDTHS]

    def stacks(features: Any) -> Any:
        for stage, (blocks, width) in enumerate(zip(BLOCKS, widths, strict=True), start=2):
            features = resnet.stack_residual_blocks_v1(
                features, width, blocks, stride1=1 if stage == 2 else 2, name=f"conv{stage}"
            )
        return features

    return resnet.ResNet(
        stacks,
        preact=False,
        use_bias=True,
        include_top=False,
        weights=None,
        input_shape=(side, side, 3),
        pooling="avg",
        name=arch,
    )


def keras_classifier(arch: str, side: int, dropout: float, learning_rate: float) -> Any:
    """Return the reference's classifier, compiled: backbone, dropout, two units with softmax.

    Its weights follow from Keras' global seed (`keras.utils.set_random_seed`).
    """
    backbone = keras_backbone(arch, side)
    features = keras.layers.Dropout(dropout)(backbone.output)
    probabilities = keras.layers.Dense(2, activation="softmax", name="head")(features)
    model = keras.Model(backbone.input, probabilities)
    model.compile(
        optimizer=keras.optimizers.Adam(learning_rate=learning_rate),
        loss="categorical_crossentropy",
        jit_compile=False,
    )
    return model


def save_backbone(model: Any, path: Path) -> None:
    """Save a classifier's backbone as Keras does without a top, as `.weights.h5`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    keras.Model(model.input, model.get_layer("avg_pool").output).save_weights(path)


def _enter(arch: str, divisor: int) -> None:
    """Make an architecture known to everything that knows architectures by name."""

    def entry(pretrained: bool = False, **options: Any) -> ResNet:
        kept = {name: options[name] for name in ("num_classes",) if name in options}
        return ResNet(Bottleneck, BLOCKS, channels=[w // divisor for w in WIDTHS], **kept)

    entry.__name__ = arch
    register_model(entry)
    network = {"builder": "keras_resnet50", "name": arch}
    ARCHITECTURES.register(arch)(Architecture(f"Keras ResNet50, width 1/{divisor}", network))
    FAMILIES.register(arch)(Family(network, FAMILIES.get("resnet50").places))


for _arch, _divisor in DIVISORS.items():
    _enter(_arch, _divisor)
