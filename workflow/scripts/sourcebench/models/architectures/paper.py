"""The four architectures of Source Matters (section 2.2), as timm builds them.

Each ends in global average pooling.
"""

from sourcebench.models.registry import ARCHITECTURES, Architecture


def _register(name: str, title: str, **options: bool) -> None:
    network = {"builder": "timm", "name": name, **options}
    ARCHITECTURES.register(name)(Architecture(title, network))


_register("resnet50", "ResNet50")
# The auxiliary classifier served the training on ImageNet; Keras' InceptionV3 has none either.
_register("inception_v3", "InceptionV3", aux_logits=False)
_register("inception_resnet_v2", "InceptionResNetV2")
_register("densenet121", "DenseNet121")
